"""What people in WeCom were to see of an approval and did not, in sentences for a person."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from approvals.models import ApprovalInstance, OperationKind, SyncOperation
from approvals.reasons import WARNING, Reason, error_of, people, together
from config.durable import Status


def undelivered(instance: ApprovalInstance, operations: Sequence[SyncOperation]) -> list[Reason]:
    """``operations`` oldest first. A message that failed for good stays a reason; cards are one only if nothing has
    brought them up to date since."""
    texts = [row for row in operations if row.kind == OperationKind.TELL and row.status == Status.DEAD]
    cards = [row for row in operations if row.kind == OperationKind.CARDS]
    reasons = []
    if texts:
        who = together(people(texts[-1].payload.get("to", []), instance))
        told = _("A message to %(who)s could not be delivered.") % {"who": who}
        reasons.append(_reason("tell", told, texts[-1]))
    if cards and cards[-1].status == Status.DEAD:
        told = _("The cards in WeCom could not be brought up to date.")
        reasons.append(_reason("cards", told, cards[-1]))
    return reasons


def _reason(code: str, what: str, row: SyncOperation) -> Reason:
    sentence, remedy = error_of(row)
    return Reason(code, WARNING, f"{what} {sentence}".strip(), remedy, row.last_error)
