"""The operation ``cards``: make the phones show what is true now.

It looks at the approval and at what each card shows, not at what has happened since: running it twice, late, or for
several causes at once comes to the same. The network is asked outside of any transaction (``phone``).
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from approvals.cards import codes as card_codes
from approvals.cards import facts as card_facts
from approvals.cards.faces import Stage, digest_of, face_of, with_note
from approvals.cards.facts import Facts
from approvals.cards.phone import Phone
from approvals.cards.plan import missing, stage_of
from approvals.models import ApprovalCard, ApprovalInstance, CardCode, CardState, Flow, SyncOperation
from approvals.outbox import client_of, require_held
from config.durable import NotYet, TemporaryFailure
from wecom.errors import OutcomeUnknown, PermanentError, QuotaError, WeComError

logger = structlog.get_logger(__name__)

ON_THE_PHONE = (CardState.LIVE, CardState.LINK, CardState.PASSED, CardState.LOST)
"""Cards that may have to change; of a lost one a press may bring a code after all."""


def settle(row: SyncOperation) -> None:
    """Bring the cards of one approval up to date. What fails for one card keeps no other from it.

    Raises what ``config.durable`` turns into the row's state: a temporary failure before a permanent one.
    """
    instance = ApprovalInstance.objects.select_related("config").get(pk=row.instance_id)
    if instance.flow != Flow.INTERNAL:
        return
    client = client_of(instance)
    facts, cards = _look(row)
    _Run(Phone(client, row), facts, row).everything(cards)


def _look(row: SyncOperation) -> tuple[Facts, list[ApprovalCard]]:
    """What is true, and the cards of the approval with rows for those that are missing."""
    locked = ApprovalInstance.objects.select_related("applicant", "quote").select_for_update(of=("self",))
    with transaction.atomic():  # under the lock nothing is decided, and no other worker makes the same rows
        instance = locked.get(pk=row.instance_id)
        facts = card_facts.read(instance)
        cards = list(instance.cards.order_by("pk"))
        new = [_new_card(instance, node=group.node, userids=group.userids) for group in missing(facts, cards)]
        if new:
            require_held(row)
            cards += ApprovalCard.objects.bulk_create(new)
    for card in cards:
        card.instance = instance
    return facts, cards


def _new_card(instance: ApprovalInstance, **values: Any) -> ApprovalCard:
    """Not yet saved. Its task ID is unique among all that an app was ever sent, by this installation or an earlier one
    (doc 90236)."""
    return ApprovalCard(instance=instance, task_id=f"quotebridge-{instance.pk}-{uuid.uuid4().hex}", **values)


@dataclass(slots=True)
class _Run:
    phone: Phone
    facts: Facts
    row: SyncOperation
    codes: dict[int, list[CardCode]] = field(default_factory=lambda: defaultdict(list))
    errors: list[Exception] = field(default_factory=list)

    def everything(self, cards: Sequence[ApprovalCard]) -> None:
        for code in CardCode.objects.filter(card__instance=self.facts.instance):
            self.codes[code.card_id].append(code)
        for card in cards:
            self._attempt(partial(self._bring_up_to_date, card))
        self._attempt(partial(self._tell_who_pressed, cards))
        worst = min(self.errors, key=_weight, default=None)
        if worst is not None:
            raise worst

    def _attempt(self, work: Callable[[], None]) -> None:
        """Do it unless WeCom is away. What goes wrong is kept."""
        if any(_is_everybodys(error) for error in self.errors):
            return
        try:
            work()
        except (WeComError, NotYet) as error:
            logger.warning("card_not_settled", approval=self.facts.instance.third_no, error=repr(error))
            self.errors.append(error)

    def _bring_up_to_date(self, card: ApprovalCard) -> None:
        stage = self._stage(card)
        if card.state == CardState.QUEUED:
            self._send_or_drop(card, stage)
        elif card.state in ON_THE_PHONE and card.shown != digest_of(self.facts, stage):
            self._change(card, stage)

    def _stage(self, card: ApprovalCard) -> Stage:
        return stage_of(self.facts, card, self.codes[card.pk], timezone.now())

    def _send_or_drop(self, card: ApprovalCard, stage: Stage) -> None:
        begun_with_another = card.shown not in ("", digest_of(self.facts, stage))
        if stage == Stage.WAITING or (stage == Stage.RESULT and card.replaces_id and not begun_with_another):
            self.phone.send(card, face_of(self.facts, card, stage))
        elif card.replaces_id is None and not card.shown:
            card.delete()  # it was never sent, and nobody needs it any more
        elif stage == Stage.RESULT:
            self._replace(card)  # a sending was begun, and nobody knows whether it arrived

    def _change(self, card: ApprovalCard, stage: Stage) -> None:
        good = card_codes.usable(self.codes[card.pk], timezone.now())
        good.sort(key=lambda code: code.pk == self.row.payload.get("code"))  # that one is kept for who pressed
        if self.phone.change(card, face_of(self.facts, card, stage), good):
            return
        if stage in (Stage.RESULT, Stage.LINK):  # for less a second message would be too much
            self._replace(card)

    def _replace(self, card: ApprovalCard) -> None:
        """Send a new message instead of one that cannot be changed: with the result, or with buttons that work."""
        readers = [userid for userid in card.userids if userid.lower() not in card.not_reached]
        if not readers or ApprovalCard.objects.filter(replaces=card).exists():
            return
        state = CardState.RECALLED if self.phone.take_away(card) else CardState.LOST
        instance = self.facts.instance
        with transaction.atomic():
            require_held(self.row)
            ApprovalCard.objects.filter(pk=card.pk).update(state=state, changed_at=timezone.now())
            new = _new_card(instance, node=card.node, userids=readers, replaces=card)
            new.save()
        self._bring_up_to_date(new)

    def _tell_who_pressed(self, cards: Sequence[ApprovalCard]) -> None:
        """Say on the card of one person why their press had no effect, with the code that it brought."""
        wanted = self.row.payload.get("code")
        for card in cards:
            for code in card_codes.usable(self.codes[card.pk], timezone.now()):
                if code.pk == wanted:
                    self._tell(card, code)

    def _tell(self, card: ApprovalCard, code: CardCode) -> None:
        face = with_note(face_of(self.facts, card, self._stage(card)), self.row.payload["note"])
        try:
            self.phone.tell(code.clicked_by, face, code)
        except PermanentError as error:  # no person needs to look at this one
            logger.info("press_not_answered", approval=self.facts.instance.third_no, error=repr(error))


def _is_everybodys(error: Exception) -> bool:
    """Whether the next card would meet the same: WeCom is away, or takes no more calls."""
    return isinstance(error, QuotaError | OutcomeUnknown) or (
        isinstance(error, TemporaryFailure) and isinstance(error, WeComError) and error.errcode is None
    )


def _weight(error: Exception) -> int:
    """What comes first is worth repeating for; a permanent failure may only end the row when nothing else is left."""
    if isinstance(error, PermanentError):
        return 2
    return 1 if isinstance(error, NotYet) else 0
