"""Many approvals at once: approve or compare them, each on its own merits, with one report at the end.

Whoever asks gets a batch with a row for each approval, and needs not wait; workers run the rows. An approval is decided
in the name and through the channel of the person who asked, with the rights they hold at that moment. What the engine
or WeCom refuses ends as *refused* with the reason; a WeCom that is away is asked again later; only what crashes time
and again dies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from approvals import engine
from approvals.actors import Actor, actor_for
from approvals.comparison import Comparison
from approvals.exceptions import EngineError, InvalidInput, NotAllowed, Sentence
from approvals.models import ApprovalInstance, Batch, BatchItem, BatchOutcome, BatchVerb
from approvals.reconcile import compare_some
from approvals.sync_request import can_sync
from approvals.visibility import sees_all, visible_to
from config.draining import drain
from config.durable import OPEN, Status, row_died, wake_on_commit
from notifications.phrases import Phrase
from wecom.errors import PermanentError
from wecom.snapshots import BadSnapshot

MOST_AT_ONCE = 1_000
"""Approvals of one batch; also a bound on the one INSERT that opens it."""
RIGHTS: Mapping[str, tuple[str, ...]] = {
    BatchVerb.APPROVE: ("approvals.decide_approval", "approvals.decide_any_approval"),
    BatchVerb.SYNC: ("approvals.sync_approval",),
}
"""Verb → rights, any of which lets a person ask for it."""
NOT_AT_WECOM = gettext_noop("WeCom holds no approval of this quote.")
NOT_THERE_YET = gettext_noop("WeCom was asked, and does not hold this approval yet.")
UNREADABLE = gettext_noop("WeCom's answer cannot be read: %(why)s")


# -- asking ------------------------------------------------------------------------------------------------------------


def open_batch(*, verb: str, ids: Iterable[int], actor: Actor, comment: str = "") -> Batch:
    """Queue ``verb`` for the approvals ``ids`` (repetitions count once) and return at once.

    Raises NotAllowed, and InvalidInput for no ids, too many, and ids of approvals that the actor does not see.
    """
    if actor.user is None or not any(map(actor.may, RIGHTS[verb])):
        raise NotAllowed
    wanted = list(dict.fromkeys(ids))
    _require_possible(wanted, actor.user)
    with transaction.atomic():
        batch = Batch.objects.create(
            verb=verb, comment=comment, actor=actor.user, channel=actor.channel, total=len(wanted)
        )
        BatchItem.objects.bulk_create(
            [BatchItem(key=f"batch:{batch.pk}:{pk}", batch=batch, instance_id=pk) for pk in wanted]
        )
        wake_on_commit(BatchItem)
    return batch


def _require_possible(wanted: list[int], user: Any) -> None:
    if not wanted:
        raise InvalidInput({"ids": [_("Choose at least one approval.")]})
    if len(wanted) > MOST_AT_ONCE:
        raise InvalidInput({"ids": [_("Choose at most %(count)d approvals at a time.") % {"count": MOST_AT_ONCE}]})
    seen = visible_to(user, ApprovalInstance.objects.filter(pk__in=wanted))
    if unknown := sorted(set(wanted).difference(seen.values_list("pk", flat=True))):
        sentences: list[Sentence] = [_("There is no approval %(id)s.") % {"id": pk} for pk in unknown]
        raise InvalidInput({"ids": sentences})


def batches_of(user: Any) -> QuerySet[Batch]:
    """The batches that ``user`` may look at: their own, and for those who oversee all approvals, all."""
    return Batch.objects.all() if sees_all(user) else Batch.objects.filter(actor=user)


# -- carrying out ------------------------------------------------------------------------------------------------------


def run_due() -> int:
    """Carry out every item that is due; returns how many were attempted. For the worker."""
    return drain(BatchItem, handle)


def handle(item: BatchItem) -> None:
    """Carry out one item. Raises what ``config.durable`` turns into the row's state."""
    batch = Batch.objects.select_related("actor").get(pk=item.batch_id)
    actor = actor_for(batch.actor, batch.channel)
    try:
        if batch.verb == BatchVerb.APPROVE:
            _approve(item, actor, batch.comment)
        else:
            _compare(item, actor)
    except (EngineError, PermanentError, BadSnapshot) as refusal:
        with transaction.atomic():
            _close(item, BatchOutcome.REFUSED, _reason(refusal))


def _approve(item: BatchItem, actor: Actor, comment: str) -> None:
    with transaction.atomic():
        engine.approve(instance=item.instance, actor=actor, comment=comment)
        _close(item, BatchOutcome.DONE)


def _compare(item: BatchItem, actor: Actor) -> None:
    """Ask WeCom outside any transaction. What it answers is taken in by itself, so asking again changes nothing."""
    instance = visible_to(actor.user, ApprovalInstance.objects.filter(pk=item.instance_id)).first()
    if instance is None or not actor.may("approvals.sync_approval"):
        raise NotAllowed
    if not can_sync(instance):
        with transaction.atomic():
            _close(item, BatchOutcome.REFUSED, Phrase(NOT_AT_WECOM))
        return
    comparison = Comparison(asked_for=True, lane="notice")  # a thousand of them must not hold up a decision's calls
    compare_some(comparison, [instance.pk])
    if comparison.failures:
        raise comparison.failures[0]
    report = comparison.report
    news = report.applied + report.conflicts + report.adopted
    with transaction.atomic():
        if news:
            _close(item, BatchOutcome.DONE)
        else:
            _close(item, BatchOutcome.UNCHANGED, None if report.checked else Phrase(NOT_THERE_YET))


def _reason(refusal: Exception) -> Phrase:
    if isinstance(refusal, EngineError):
        return Phrase.of(refusal.detail)
    if isinstance(refusal, PermanentError):
        said = {"sentence": Phrase.of(refusal.sentence), "remedy": Phrase.of(refusal.remedy)}
        parts = {**{name: part for name, part in said.items() if part.sentence}, "reference": refusal.reference}
        return Phrase(" ".join(f"%({name})s" for name in parts), **parts)
    return Phrase(UNREADABLE, why=str(refusal))


def _close(item: BatchItem, outcome: BatchOutcome, why: Phrase | None = None) -> None:
    """End the item, inside the transaction of its effect. Raises LeaseLost when it is another worker's by now."""
    item.outcome = outcome
    if why is not None:
        item.say(why)
    # The items of a batch end one after another: two that end at the same time would each take the other for open.
    Batch.objects.select_for_update().get(pk=item.batch_id)
    item.finish()
    _finish_with_last(item)


@receiver(row_died, sender=BatchItem, dispatch_uid="approvals.batch_item_died")
def _died(row: BatchItem, **_kwargs: Any) -> None:
    """A dead item, too, may be the last one. In the transaction in which it dies."""
    Batch.objects.select_for_update().get(pk=row.batch_id)
    _finish_with_last(row)


def _finish_with_last(item: BatchItem) -> None:
    if not BatchItem.objects.filter(batch=item.batch_id, status__in=OPEN).exists():
        Batch.objects.filter(pk=item.batch_id, finished_at=None).update(finished_at=timezone.now())


def retry(items: QuerySet[BatchItem]) -> int:
    """Make dead or waiting ``items`` due now, which opens their batches again. Returns how many."""
    with transaction.atomic():
        Batch.objects.filter(pk__in=items.values("batch")).update(finished_at=None)
        return int(items.retry())  # type: ignore[attr-defined]


# -- reporting ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """How many items of a batch are where."""

    done: int
    unchanged: int
    refused: int
    failed: int
    """Given up; somebody has to look."""
    open: int
    waiting: int
    """Of the open ones, those that failed and are tried again by themselves."""

    @property
    def closed(self) -> int:
        return self.done + self.unchanged + self.refused + self.failed


def tally(batch: Batch) -> Tally:
    """Count the items of ``batch``; one query."""
    rows = batch.items.order_by().values_list("status", "outcome").annotate(count=Count("pk"))
    counts = {(status, outcome): count for status, outcome, count in rows}

    def ended(outcome: BatchOutcome) -> int:
        return counts.get((Status.SUCCEEDED.value, outcome.value), 0)

    def standing(*statuses: Status) -> int:
        return sum(count for (status, _outcome), count in counts.items() if status in statuses)

    return Tally(
        done=ended(BatchOutcome.DONE),
        unchanged=ended(BatchOutcome.UNCHANGED),
        refused=ended(BatchOutcome.REFUSED),
        failed=standing(Status.DEAD),
        open=standing(*OPEN),
        waiting=standing(Status.FAILED),
    )
