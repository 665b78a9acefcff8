"""The one transition table, as data: what may follow what, here and at WeCom."""

from __future__ import annotations

from approvals.models import InstanceStatus as S
from approvals.models import QuoteStatus

SUBMITTABLE = frozenset({S.NOT_SUBMITTED, S.FAILED, S.REJECTED, S.CANCELLED, S.REVOKED, S.DELETED})
"""States of a quote from which it may be submitted (again)."""

REVISABLE = frozenset({S.FAILED, S.REJECTED, S.CANCELLED, S.REVOKED, S.DELETED, S.APPROVED})
"""States of a quote in which *revise* opens revision n+1."""

LOCAL: dict[str, dict[S, S]] = {
    # verb: {state it is allowed in: state it leads to once nobody else has to agree}
    "approve": {S.PENDING: S.APPROVED},
    "reject": {S.PENDING: S.REJECTED},
    "withdraw": {S.PENDING: S.CANCELLED, S.SUBMITTING: S.CANCELLED},
    "delegate": {S.PENDING: S.PENDING},
    "remind": {S.PENDING: S.PENDING},
}

REMOTE: dict[str, frozenset[str]] = {
    # WeCom's own life of a form (fact sheet 4.7): what may still follow. Whatever else arrives is out of date.
    "": frozenset({"pending", "approved", "rejected", "cancelled", "revoked", "deleted", "paid"}),
    "pending": frozenset({"approved", "rejected", "cancelled", "revoked", "deleted", "paid"}),
    "approved": frozenset({"revoked", "deleted", "paid"}),
    "paid": frozenset({"revoked", "deleted"}),
    "rejected": frozenset({"deleted"}),
    "cancelled": frozenset({"deleted"}),
    "revoked": frozenset({"deleted"}),
    "deleted": frozenset(),
}

FROM_REMOTE: dict[str, S] = {
    "pending": S.PENDING,
    "approved": S.APPROVED,
    "rejected": S.REJECTED,
    "cancelled": S.CANCELLED,
    "revoked": S.REVOKED,
    "deleted": S.DELETED,
    "paid": S.APPROVED,  # paid is approved, with paid_at
}

QUOTE_STATUS: dict[S, QuoteStatus] = {
    S.NOT_SUBMITTED: QuoteStatus.DRAFT,
    S.SUBMITTING: QuoteStatus.IN_APPROVAL,
    S.PENDING: QuoteStatus.IN_APPROVAL,
    S.APPROVED: QuoteStatus.APPROVED,
    S.REJECTED: QuoteStatus.REJECTED,
    S.CANCELLED: QuoteStatus.CANCELLED,
    S.REVOKED: QuoteStatus.REVOKED,
    S.DELETED: QuoteStatus.CANCELLED,
    S.FAILED: QuoteStatus.FAILED,
}
"""``Quote.status`` follows from ``Quote.approval_status``; they are always written together."""
