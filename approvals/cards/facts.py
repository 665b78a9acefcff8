"""What is true about an approval, as far as its cards show it."""

from __future__ import annotations

from dataclasses import dataclass

from approvals import steps
from approvals.models import ApprovalInstance, ApprovalStep, ApprovalTimeline, Outcome
from approvals.models.instances import LIVE
from approvals.revisions import Content, submitted_before
from wecom.models import Member

SHOWN_ACTIONS = ("submit", "approve", "reject", "withdraw", "delegate", "escalate")


@dataclass(frozen=True, slots=True)
class Facts:
    """``entries``: what was done (SHOWN_ACTIONS), oldest first; ``earlier``: what was submitted before this revision;
    ``barred``: folded userids of those who may not decide, because the quote is their own."""

    instance: ApprovalInstance
    steps: tuple[ApprovalStep, ...]
    entries: tuple[ApprovalTimeline, ...]
    earlier: Content | None = None
    barred: frozenset[str] = frozenset()

    @property
    def ended(self) -> bool:
        return self.instance.status not in LIVE

    @property
    def open_steps(self) -> list[ApprovalStep]:
        """The steps whose turn it is; none after the end."""
        return [] if self.ended else steps.open_steps(self.steps)

    def latest(self, *actions: str) -> ApprovalTimeline | None:
        return next((entry for entry in reversed(self.entries) if entry.action in actions), None)


def read(instance: ApprovalInstance) -> Facts:
    """The facts as they are stored now."""
    entries = ApprovalTimeline.objects.filter(instance=instance, action__in=SHOWN_ACTIONS, outcome=Outcome.APPLIED)
    return Facts(
        instance=instance,
        steps=tuple(instance.steps.order_by("node", "position")),
        entries=tuple(entries.order_by("id")),
        earlier=submitted_before(instance.quote_id, instance.revision),
        barred=_barred(instance),
    )


def _barred(instance: ApprovalInstance) -> frozenset[str]:
    own = Member.objects.filter(user__in=(instance.applicant_id, instance.quote.owner_id), user__is_superuser=False)
    return frozenset(userid.casefold() for userid in own.values_list("userid", flat=True))
