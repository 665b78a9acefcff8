"""The calls that change what phones show, each made safe by the rows around it.

A worker may die at any line, and two may be at work after a lost lease. So a row says that a call is about to be made
before it is made, and what came of it afterwards; a call whose answer was lost is never simply repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.utils import timezone

from approvals.cards import codes as card_codes
from approvals.cards.faces import SHOWN_AS, Face
from approvals.models import ApprovalCard, CardCode, CardState, SyncOperation
from approvals.outbox import require_held
from config.durable import NotYet
from wecom.cards import (
    CODE_SPENT,
    NOBODY_TO_UPDATE,
    RECALL_WITHIN,
    TASK_USED,
    SentCard,
    recall,
    send_card,
    update_card,
)
from wecom.client import WeComClient
from wecom.errors import OutcomeUnknown, PermanentError, WeComError

logger = structlog.get_logger(__name__)

NOBODY_REACHED = 81013
"""Sending: none of the recipients is in the app's sight."""


@dataclass(frozen=True, slots=True)
class Phone:
    """The app's client, and the operation under whose lease the calls are made.

    Every method raises LeaseLost when the operation is another worker's by now, and ``wecom.errors.WeComError``. What a
    failed call leaves behind is as it was before, unless nobody can know what the call has done.
    """

    client: WeComClient
    row: SyncOperation

    def send(self, card: ApprovalCard, face: Face) -> None:
        """Send a card that waits to be sent. Repeating it after a lost answer is safe: the same card arrives once, and
        WeCom knows the task ID of one that has arrived. Raises MemberBusy while a recipient has had too many."""
        require_held(self.row)
        begun_before = card.shown
        waiting = ApprovalCard.objects.filter(pk=card.pk, state=CardState.QUEUED)
        # not if it was decided since the facts were read: another operation is queued then
        if not waiting.filter(instance__status=card.instance.status).update(shown=face.digest):
            return
        started = timezone.now()
        try:
            sent = send_card(self.client, to=card.userids, card={**face.content, "task_id": card.task_id})
        except (WeComError, NotYet) as error:
            if not _arrived_before(error, begun_before):
                if not _unclear(error):
                    missed = _folded(card.userids) if _reaches_nobody(error) else []
                    waiting.update(shown=begun_before, not_reached=missed)
                raise
            sent = SentCard("", "", [], [])
        with transaction.atomic():
            self._note_arrival(card, sent, face)
            card_codes.keep(card, sent.response_code, got_at=started)

    def _note_arrival(self, card: ApprovalCard, sent: SentCard, face: Face) -> None:
        now = timezone.now()
        not_reached = [*sent.invalid_users, *sent.unlicensed_users]
        if not_reached:
            logger.warning("members_not_reached", approval=card.instance.third_no, members=not_reached)
        state = SHOWN_AS[face.stage]
        arriving = ApprovalCard.objects.filter(pk=card.pk, state__in=(CardState.QUEUED, state), message_id="")
        arriving.update(  # a press may have told before that it has arrived
            state=state,
            shown=face.digest,
            message_id=sent.message_id,
            not_reached=not_reached,
            sent_at=now,
            changed_at=now,
        )

    def change(self, card: ApprovalCard, face: Face, codes: Sequence[CardCode]) -> bool:
        """Show ``face`` to all recipients, with the first of ``codes`` that works; False if none does."""
        shown_before = card.shown
        for code in codes:
            require_held(self.row)
            if not card_codes.spend(code, card):
                continue
            try:
                missed = update_card(self.client, response_code=code.code, to=None, card=face.content)
            except WeComError as error:
                if _unclear(error):
                    raise
                ApprovalCard.objects.filter(pk=card.pk).update(shown=shown_before)
                if error.errcode == CODE_SPENT:
                    continue
                if error.errcode in NOBODY_TO_UPDATE:
                    self._leave_alone(card)
                    return True
                card_codes.give_back(code)
                raise
            # unless a worker that took over in the meantime has given the card up
            ApprovalCard.objects.filter(pk=card.pk, state=card.state).update(
                state=SHOWN_AS[face.stage],
                shown=face.digest,
                changed_at=timezone.now(),
                not_reached=sorted({*card.not_reached, *missed}),
            )
            return True
        return False

    def _leave_alone(self, card: ApprovalCard) -> None:
        """Nobody who has the card is in the app's sight any more."""
        logger.warning("card_has_no_readers", approval=card.instance.third_no, members=card.userids)
        ApprovalCard.objects.filter(pk=card.pk).update(state=CardState.LOST, not_reached=_folded(card.userids))

    def tell(self, userid: str, face: Face, code: CardCode) -> None:
        """Show ``face`` to one of the recipients alone, who pressed."""
        require_held(self.row)
        if not card_codes.spend(code, None):
            return
        try:
            update_card(self.client, response_code=code.code, to=[userid], card=face.content)
        except WeComError as error:
            if not _unclear(error) and error.errcode != CODE_SPENT:
                card_codes.give_back(code)
            raise

    def take_away(self, card: ApprovalCard) -> bool:
        """Recall the message; False if it is too old or WeCom refuses."""
        now = timezone.now()
        if not card.message_id or card.sent_at is None or now - card.sent_at >= RECALL_WITHIN:
            return False
        require_held(self.row)
        try:
            recall(self.client, card.message_id)
        except PermanentError as error:
            logger.info("card_not_recalled", task_id=card.task_id, error=repr(error))
            return False
        return True


def _unclear(error: Exception) -> bool:
    """Whether WeCom may have acted; on errcode 0 it has half-read the call and acted on that half (doc 90664)."""
    return isinstance(error, OutcomeUnknown) or (isinstance(error, WeComError) and error.errcode == 0)


def _arrived_before(error: Exception, begun_before: str) -> bool:
    """An earlier sending, of which no answer came, has reached WeCom. Its code is lost with the answer."""
    return bool(begun_before) and isinstance(error, WeComError) and error.errcode == TASK_USED


def _reaches_nobody(error: Exception) -> bool:
    return isinstance(error, WeComError) and error.errcode == NOBODY_REACHED


def _folded(userids: Sequence[str]) -> list[str]:
    """As WeCom names those whom it did not reach."""
    return [userid.lower() for userid in userids]
