"""The codes of a card: each is good for one change, so it is marked as spent before it is used."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from approvals.models import ApprovalCard, CardCode
from wecom.cards import CODE_LASTS


def keep(card: ApprovalCard, code: str, *, got_at: datetime, clicked_by: str = "") -> CardCode | None:
    """Write down a code that WeCom gave; None for an empty one. The same code is kept once."""
    if not code:
        return None
    row, _created = CardCode.objects.get_or_create(
        card=card, code=code, defaults={"clicked_by": clicked_by, "until": got_at + CODE_LASTS}
    )
    return row


def usable(codes: Iterable[CardCode], now: datetime) -> list[CardCode]:
    """Those that may still change the card, in the order in which they should be spent: first those of presses, of
    which a card may get more, and last the one that came with the message."""
    good = [code for code in codes if code.spent_at is None and code.until > now]
    return sorted(good, key=lambda code: (not code.clicked_by, code.until, code.pk))


def spend(code: CardCode, card: ApprovalCard | None) -> bool:
    """Mark ``code`` as spent, right before the call; False if another worker was faster.

    ``card``: all of whose recipients will see the change. Until the answer nobody knows what they see.
    """
    with transaction.atomic():
        now = timezone.now()
        if not CardCode.objects.filter(pk=code.pk, spent_at__isnull=True).update(spent_at=now):
            return False
        if card is not None:
            ApprovalCard.objects.filter(pk=card.pk).update(shown="")
    code.spent_at = now
    return True


def give_back(code: CardCode) -> None:
    """The call has certainly done nothing: the code is as good as before."""
    CardCode.objects.filter(pk=code.pk).update(spent_at=None)
    code.spent_at = None
