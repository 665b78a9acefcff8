"""``manage.py rotate_keys``: seal every secret with the first key of FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

import sys
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from config import keys
from wecom.keys import renew_canary


class Command(BaseCommand):
    help = (
        "Seal every secret in the database anew with the first key of FIELD_ENCRYPTION_KEYS, after which the others "
        "may go. May be interrupted and started again at any time. A secret that no key opens is "
        "named and left as it is; exit status 1 then."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        hidden = not sys.stderr.isatty()
        with click.progressbar(length=keys.count_rows(), label=_("Rows"), file=sys.stderr, hidden=hidden) as bar:
            findings = renew_canary(keys.rotate(bar.update))
        self.stdout.write(
            _("%(older)d secrets sealed anew, %(current)d were sealed with the first key already.")
            % {"older": findings.older, "current": findings.current + findings.overtaken}
        )
        for broken in findings.broken:
            self.stderr.write(self.style.ERROR(str(broken)))
        if findings.broken:
            raise CommandError(
                _("%(count)d secrets cannot be opened and were left as they are. Keep the older keys.")
                % {"count": len(findings.broken)}
            )
        self.stdout.write(self.style.SUCCESS(_("Only the first key is needed from now on.")))
