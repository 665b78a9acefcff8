"""Deciding in the WeCom stand-in from here: for demos and tests, never with the real WeCom, which has no such call.

Nothing is decided by this module. It presses the button on the stand-in's phone; the result comes back like any
other decision, as a callback or by comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote as quote_url

import requests
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from approvals.engine import state_of
from approvals.exceptions import EngineError, InvalidInput, WrongState
from approvals.models import ApprovalInstance, Flow, Quote
from approvals.models.instances import LIVE

ACTIONS = {"approved": "agree", "rejected": "reject", "cancelled": "withdraw"}
"""What shall become of the approval → what is pressed."""
TIMEOUT = 10.0
MOST_NODES = 20
"""Agreements that are pressed at most: a form is approved once every node has agreed."""


class NoStandin(EngineError):
    """This installation works with the real WeCom."""

    status_code = 404
    code = "no_standin"

    def __init__(self) -> None:
        super().__init__(_("The WeCom stand-in is not in use here (WECOM_STANDIN_URL is empty)."))


class StandinFailed(EngineError):
    """The stand-in is away, or refused."""

    status_code = 502
    code = "standin_failed"


def simulate(*, quote_number: str, action: str) -> ApprovalInstance:
    """Let the people in the stand-in bring the quote's live approval to ``action``; returns the approval as it is
    known here at that moment, usually still undecided.

    Raises NoStandin, InvalidInput, WrongState, StandinFailed.
    """
    require_standin()
    if action not in ACTIONS:
        raise InvalidInput({"action": [_("Choose approved, rejected or cancelled.")]})
    instance = _live_approval(quote_number)
    number = instance.sp_no or instance.third_no
    for _node in range(MOST_NODES):
        answer = press(number, ACTIONS[action])
        if action != "approved" or answer.get("status") != "pending":
            break
    return instance


def require_standin() -> None:
    """Raises NoStandin."""
    if not settings.WECOM_STANDIN_URL:
        raise NoStandin


def _live_approval(quote_number: str) -> ApprovalInstance:
    quote = Quote.objects.filter(quote_number=quote_number).first()
    if quote is None:
        raise InvalidInput({"quote_number": [_("There is no quote with this number.")]})
    instance = quote.approvals.order_by("-pk").first()
    state: Mapping[str, Any] = state_of(instance) if instance else {"status": quote.approval_status}
    in_wecom = instance is not None and instance.flow != Flow.INTERNAL
    if instance is None or not in_wecom or not (instance.status in LIVE or instance.remote_pending):
        raise WrongState(_("No approval of this quote is open in WeCom."), current=state)
    if instance.flow == Flow.WECOM_OA and not instance.sp_no:
        raise WrongState(
            _("The approval has not reached WeCom yet. Try again in a moment."), current=state, code="not_in_wecom_yet"
        )
    return instance


def press(number: str, action: str, **details: Any) -> dict[str, Any]:
    """Press one button on the stand-in's phone and return the form as it is then. Raises StandinFailed.

    ``number``: WeCom's or ours. ``details``: ``userid`` (else whose turn it is), ``speech``, ``event`` (False: without
    a callback).
    """
    url = f"{settings.WECOM_STANDIN_URL}/standin/api/approvals/{quote_url(number, safe='')}/act"
    try:
        response = requests.post(url, json={"action": action, **details}, timeout=TIMEOUT)
        answer = response.json()
    except (requests.RequestException, ValueError) as error:
        raise StandinFailed(_("The WeCom stand-in does not answer.")) from error
    if response.status_code != 200:
        raise StandinFailed(
            _("The WeCom stand-in refused: %(why)s") % {"why": answer.get("error", response.status_code)}
        )
    return dict(answer)
