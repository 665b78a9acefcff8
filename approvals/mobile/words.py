"""What happened, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.models import ApprovalTimeline, Channel, Outcome

SENTENCES: Mapping[str, Promise] = {
    "submit": gettext_lazy("%(who)s submitted the quote for approval."),
    "approve": gettext_lazy("%(who)s agreed."),
    "reject": gettext_lazy("%(who)s rejected the quote."),
    "withdraw": gettext_lazy("%(who)s took the submission back."),
    "delegate": gettext_lazy("%(who)s asked %(whom)s to decide as well."),
    "escalate": gettext_lazy("It took too long, so %(whom)s was asked to decide as well."),
    "remind": gettext_lazy("%(who)s reminded the approvers."),
    "transfer": gettext_lazy("%(who)s passed the decision on."),
    "revoke": gettext_lazy("%(who)s revoked the approval."),
    "comment": gettext_lazy("%(who)s wrote a comment."),
    "return": gettext_lazy("%(who)s gave the quote back."),
    "add_approver": gettext_lazy("%(who)s added an approver."),
    "handle": gettext_lazy("%(who)s handled it."),
    "hand_over": gettext_lazy("%(who)s handed it over."),
    "delete": gettext_lazy("%(who)s deleted the approval."),
    "pay": gettext_lazy("%(who)s paid."),
    "update": gettext_lazy("The state in WeCom was taken over."),
    "close_conflict": gettext_lazy("%(who)s settled the conflict."),
}
TAKEN = gettext_lazy("WeCom took the submission.")
NOT_TAKEN = gettext_lazy("WeCom did not take the submission.")
SOMETHING = gettext_lazy("Something happened in WeCom that is not known here.")
AGAINST_US = gettext_lazy("This contradicts what had been decided here.")
TOLD = (Outcome.APPLIED, Outcome.CONFLICT, Outcome.FAILED)
"""Outcomes of entries that people are told. The others had no effect; the admin lists them."""


def sentence_of(entry: ApprovalTimeline) -> str:
    """Who did what."""
    if entry.action == "submit" and entry.outcome == Outcome.FAILED:
        return str(NOT_TAKEN)
    if entry.action == "submit" and entry.channel == Channel.SYSTEM:
        return str(TAKEN if entry.details.get("sp_no") else _("The submission was tried again."))
    if entry.action not in SENTENCES:
        return str(SOMETHING)
    whom = entry.details.get("delegate_name") or entry.details.get("delegate_to") or _("somebody else")
    return str(SENTENCES[entry.action]) % {"who": _who(entry), "whom": whom}


def _who(entry: ApprovalTimeline) -> str:
    if entry.channel == Channel.SYSTEM:
        return _("The system")
    return entry.actor or _("Somebody")


def place_of(entry: ApprovalTimeline) -> str:
    """Where it was done; nothing for what nobody did."""
    return "" if entry.channel == Channel.SYSTEM else str(entry.get_channel_display())
