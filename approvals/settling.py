"""Which state stands when a conflict is closed."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from approvals.exceptions import WrongState
from approvals.models import ApprovalInstance, InstanceStatus, Outcome
from approvals.models.instances import LIVE
from approvals.record import another_is_live, state_of
from approvals.transitions import FROM_REMOTE


def settled_status(instance: ApprovalInstance, keep: str) -> InstanceStatus:
    """The state that ``keep`` (``ours`` or ``wecom``) leads to. Ours is the one the conflict was written over, if it
    was. Raises WrongState when WeCom's would be a second live approval of the quote."""
    if keep == "ours":
        return our_decision(instance)
    theirs = FROM_REMOTE[instance.remote_status]
    if theirs in LIVE and another_is_live(instance):
        raise WrongState(_("Another submission of this quote is under way."), current=state_of(instance))
    return theirs


def our_decision(instance: ApprovalInstance) -> InstanceStatus:
    """What was decided here before WeCom contradicted it."""
    conflicts = instance.timeline.filter(outcome=Outcome.CONFLICT).order_by("-id")
    return InstanceStatus(conflicts.values_list("from_status", flat=True).first() or instance.status)
