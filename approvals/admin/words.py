"""Words and colours that only the admin uses (for states of approvals: ``approvals.words``)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from approvals.models import ApprovalTimeline, CardState, Outcome, QuoteStatus
from approvals.transitions import FROM_REMOTE
from config.tones import Tones
from wecom.snapshots import OA_STATUS

QUOTE_TONES = Tones(
    {
        QuoteStatus.IN_APPROVAL.value: "warning",
        QuoteStatus.APPROVED.value: "success",
        QuoteStatus.REJECTED.value: "danger",
        QuoteStatus.REVOKED.value: "danger",
        QuoteStatus.FAILED.value: "danger",
    }
)
OUTCOME_TONES = Tones(
    {
        Outcome.APPLIED.value: "success",
        Outcome.CONFLICT.value: "danger",
        Outcome.UNKNOWN.value: "warning",
        Outcome.FAILED.value: "danger",
        Outcome.REFUSED.value: "warning",
    }
)
ACTIONS = {
    "submit": _("Submitted"),
    "approve": _("Agreed"),
    "reject": _("Rejected"),
    "withdraw": _("Withdrawn"),
    "delegate": _("Delegated"),
    "remind": _("Reminded"),
    "escalate": _("Escalated"),
    "press": _("Button pressed"),
    "transfer": _("Transferred"),
    "revoke": _("Revoked"),
    "comment": _("Commented"),
    "return": _("Returned"),
    "add_approver": _("Approver added"),
    "handle": _("Handled"),
    "hand_over": _("Handed over"),
    "update": _("State compared"),
    "delete": _("Deleted"),
    "pay": _("Paid"),
    "close_conflict": _("Conflict closed"),
}
PRESSES = {
    # why a press on a card had no effect (approvals.cards.refusals)
    "not_your_card": _("The card was not sent to this person."),
    "old_revision": _("The card was about an earlier revision."),
    "ended": _("It had been decided already."),
    "twice": _("They had agreed already."),
    "not_your_turn": _("It was not their turn any more."),
    "own_quote": _("Nobody decides on their own quote."),
    "not_an_approver": _("They were no approver any more."),
    "not_allowed": _("Their user lacks the right to decide on quotes."),
    "unknown_button": _("The system does not know this button."),
}
CARD_TONES = Tones(
    {
        CardState.QUEUED.value: "info",
        CardState.LIVE.value: "warning",
        CardState.LINK.value: "warning",
        CardState.PASSED.value: "info",
        CardState.CLOSED.value: "success",
        CardState.LOST.value: "danger",
    }
)
ATTENTION_TONES = Tones(conflict="danger", remote_pending="warning")
SOURCES = {
    "callback": _("callback"),
    "reconcile": _("regular comparison"),
    "manual": _("sync now"),
}


def attention_label(*, conflict: bool, remote_pending: bool) -> tuple[str, str] | str:
    """What a list's column *attention* shows: key (of ATTENTION_TONES) and words; empty if all is well."""
    if conflict:
        return "conflict", gettext("Conflict")
    return ("remote_pending", gettext("Open in WeCom")) if remote_pending else ""


def action_label(action: str) -> str:
    """The timeline's word; one that nobody has foreseen is shown as it is."""
    return str(ACTIONS.get(action, action))


def what_wecom_said(entry: ApprovalTimeline) -> str:
    """What an entry's other columns do not say, in one line: WeCom's part in it, to whom a turn was delegated, whose
    decision stands. Empty for what needs no more words."""
    details: dict[str, Any] = entry.details
    if here := _what_happened_here(details):
        return here
    if details.get("errcode"):
        return _refusal(str(details["errcode"]))
    if details.get("sp_no"):
        return gettext("WeCom took it as %(number)s.") % {"number": details["sp_no"]}
    code = details.get("status_code")
    if code is None:
        return ""
    word = OA_STATUS.get(code)
    values = {
        "code": code,
        "meaning": _remote_word(word) if word else gettext("not known here"),
        "source": SOURCES.get(str(details.get("source")), details.get("source")),
    }
    return gettext("WeCom said: status %(code)s (%(meaning)s), learned by %(source)s.") % values


def _what_happened_here(details: dict[str, Any]) -> str:
    if details.get("refused"):
        return str(PRESSES.get(details["refused"], details["refused"]))
    if details.get("delegate_to"):
        return gettext("Delegated to %(userid)s.") % {"userid": details.get("delegate_name") or details["delegate_to"]}
    if details.get("keep"):
        return gettext("Our decision was kept.") if details["keep"] == "ours" else gettext("WeCom's decision was kept.")
    return ""


def _refusal(code: str) -> str:
    if code.lstrip("-").isdigit():
        return gettext("WeCom refused: errcode %(code)s.") % {"code": code}
    return gettext("The submission failed: %(why)s") % {"why": code}


def _remote_word(word: str) -> str:
    return gettext("Paid") if word == "paid" else str(FROM_REMOTE[word].label)
