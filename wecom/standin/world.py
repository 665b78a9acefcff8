"""Everything one stand-in consists of, put together once."""

from __future__ import annotations

import time
from collections.abc import Callable

from config.standin.faults import Faults
from config.standin.store import Store
from wecom.crypto import CallbackCrypto
from wecom.standin.approvals import Approvals
from wecom.standin.crowd import Crowd
from wecom.standin.customers import Customers
from wecom.standin.events import EventQueue
from wecom.standin.faults import FAULT_KINDS
from wecom.standin.form_template import FormTemplate, expense_template, quote_template
from wecom.standin.limits import Limits
from wecom.standin.options import Options
from wecom.standin.schema import KEPT_ON_RESET, SCHEMA
from wecom.standin.sender import Sender
from wecom.standin.staff import Staff


class World:
    """``clock`` returns Unix seconds; tests pass one that they can turn."""

    def __init__(self, options: Options, clock: Callable[[], float] = time.time) -> None:
        self.options = options
        self.clock = clock
        self.store = Store(options.database, SCHEMA, kept_on_reset=KEPT_ON_RESET)
        self.faults = Faults(self.store, FAULT_KINDS, prefix="/cgi-bin/")
        self.limits = Limits(options.calls_per_minute, clock)
        self.crowd = Crowd(options.company_size)
        self.staff = Staff(self.store)
        self.customers = Customers(self.store)
        self.approvals = Approvals(self.store)
        self.events = EventQueue(self.store, self.faults, clock)
        crypto = CallbackCrypto(options.token, options.aes_key, options.corp_id)
        self.sender = Sender(self.events, self.faults, crypto, options.corp_id, options.callback_url)
        self.templates: dict[str, FormTemplate] = {
            template.id: template for template in (quote_template(options.template_id), expense_template())
        }

    def now(self) -> int:
        return int(self.clock())

    def reset(self) -> None:
        """Forgets everything but the numbers already given out."""
        self.store.clear()
        self.limits.clear()

    def close(self) -> None:
        self.sender.stop()
        self.store.close()
