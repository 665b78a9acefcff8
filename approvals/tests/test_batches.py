"""Batches: each approval on its own merits, one effect however often its row runs, one report at the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation

from approvals import batches, engine, quotes
from approvals.actors import Actor, actor_for
from approvals.batches import MOST_AT_ONCE, Tally, open_batch, run_due, tally
from approvals.exceptions import InvalidInput, NotAllowed
from approvals.models import ApprovalInstance, Batch, BatchItem, BatchOutcome, Channel, SyncOperation
from approvals.tests.conftest import CONTENT, grant
from config.durable import LeaseLost, Status, sweep
from config.wakeup import flush

pytestmark = pytest.mark.django_db
AsActor = Callable[..., Actor]


@pytest.fixture
def waiting(li: User) -> Callable[..., list[ApprovalInstance]]:
    """``count`` approvals that wait for the named people here."""

    def make(count: int, *approvers: str) -> list[ApprovalInstance]:
        actor = actor_for(li, Channel.INTERNAL)
        return [
            engine.submit(
                quote=quotes.create_quote(data=CONTENT, actor=actor),
                actor=actor,
                flow="internal",
                approvers=list(approvers or ("wang.boss",)),
            )
            for _number in range(count)
        ]

    return make


def ids(instances: list[ApprovalInstance]) -> list[int]:
    return [instance.pk for instance in instances]


def opened(actor: Actor, instances: list[ApprovalInstance], verb: str = "approve", comment: str = "") -> Batch:
    return open_batch(verb=verb, ids=ids(instances), actor=actor, comment=comment)


def status_of(instance: ApprovalInstance) -> str:
    return str(ApprovalInstance.objects.values_list("status", flat=True).get(pk=instance.pk))


def outcomes(batch: Batch) -> list[tuple[str, str]]:
    with translation.override("en"):
        return [(item.outcome, item.why) for item in batch.items.order_by("pk")]


# -- asking ------------------------------------------------------------------------------------------------------------


def test_asking_decides_nothing_and_wakes_a_worker(
    waiting, wang, as_actor, django_capture_on_commit_callbacks: Any
) -> None:
    instances = waiting(2)
    with django_capture_on_commit_callbacks() as woken:
        batch = opened(as_actor(wang), [*instances, instances[0]])
    assert (batch.total, tally(batch)) == (2, Tally(0, 0, 0, 0, open=2, waiting=0))
    assert {status_of(instance) for instance in instances} == {"pending"}
    assert batch.finished_at is None
    assert len(woken) == 1


@pytest.mark.parametrize(("verb", "who"), [("approve", "chen"), ("approve", "li"), ("sync", "wang"), ("sync", "li")])
def test_each_verb_takes_its_own_right(waiting, request, wang, as_actor, verb, who) -> None:
    instances = waiting(1)
    with pytest.raises(NotAllowed):
        opened(as_actor(request.getfixturevalue(who)), instances, verb)
    with pytest.raises(NotAllowed):
        opened(Actor(channel=Channel.WECOM, userid="wang.boss"), instances, verb)
    assert not Batch.objects.exists()


def test_approvals_that_one_does_not_see_are_unknown(waiting, wang, as_actor) -> None:
    mine, other = waiting(1), waiting(1, "zhao.vp")
    with translation.override("en"), pytest.raises(InvalidInput) as refusal:
        open_batch(verb="approve", ids=[*ids(mine), *ids(other), 10**9], actor=as_actor(wang))
    assert [str(sentence) for sentence in refusal.value.errors["ids"]] == [
        f"There is no approval {ids(other)[0]}.",
        "There is no approval 1000000000.",
    ]
    assert not Batch.objects.exists()


@pytest.mark.parametrize("count", [0, MOST_AT_ONCE + 1])
def test_none_and_too_many_are_refused(wang, as_actor, count) -> None:
    with pytest.raises(InvalidInput):
        open_batch(verb="approve", ids=range(count), actor=as_actor(wang))


# -- approving ---------------------------------------------------------------------------------------------------------


def test_each_is_decided_on_its_own_merits_in_the_name_and_channel_of_who_asked(
    waiting, wang, zhao, li, as_actor
) -> None:
    good, both, withdrawn = waiting(1)[0], waiting(1, "wang.boss", "zhao.vp")[0], waiting(1)[0]
    engine.withdraw(instance=withdrawn, actor=as_actor(li))
    batch = opened(as_actor(wang, Channel.API), [good, both, withdrawn], comment="as agreed")
    assert run_due() == 3
    assert outcomes(batch) == [
        ("done", ""),
        ("done", ""),
        ("refused", "The approval is no longer in a state that allows this."),
    ]
    assert (status_of(good), status_of(both), status_of(withdrawn)) == ("approved", "pending", "cancelled")
    entry = good.timeline.get(action="approve")
    assert (entry.actor, entry.channel, entry.comment) == ("wang", "api", "as agreed")
    batch.refresh_from_db()
    assert batch.finished_at is not None
    assert tally(batch) == Tally(done=2, unchanged=0, refused=1, failed=0, open=0, waiting=0)


def test_the_reason_is_read_in_the_readers_language(waiting, wang, zhao, as_actor) -> None:
    both = waiting(1, "wang.boss", "zhao.vp")
    with translation.override("zh-hans"):  # the worker's language says nothing about the reader's
        batch = opened(as_actor(wang), both)
        run_due()
        again = opened(as_actor(wang), both)
        run_due()
        assert again.items.get().why == "该审批还没有轮到您。"
    assert outcomes(again) == [("refused", "It is not your turn in this approval.")]
    assert outcomes(batch) == [("done", "")]


@pytest.mark.parametrize("lost", ["right", "account"])
def test_who_loses_the_right_meanwhile_is_refused(waiting, wang, as_actor, lost) -> None:
    instances = waiting(2)
    batch = opened(as_actor(wang), instances)
    if lost == "right":
        wang.user_permissions.clear()
    else:
        User.objects.filter(pk=wang.pk).update(is_active=False)
    run_due()
    assert {outcome for outcome, _why in outcomes(batch)} == {"refused"}
    assert {status_of(instance) for instance in instances} == {"pending"}


def test_applicants_are_refused_their_own(waiting, li, ada, as_actor) -> None:
    grant(li, "decide_any_approval")
    li = User.objects.get(pk=li.pk)
    batch = opened(as_actor(li), waiting(1))
    run_due()
    assert outcomes(batch) == [("refused", "Applicants cannot decide on their own quotes.")]


def test_a_row_whose_worker_died_after_its_commit_is_not_run_again(waiting, wang, as_actor) -> None:
    (instance,) = waiting(1)
    opened(as_actor(wang), [instance])
    run_due()
    BatchItem.objects.update(next_attempt_at=timezone.now() - timedelta(hours=1))
    assert run_due() == 0
    assert instance.timeline.filter(action="approve").count() == 1


def test_a_worker_that_lost_its_row_undoes_its_decision(waiting, wang, as_actor) -> None:
    (instance,) = waiting(1)
    batch = opened(as_actor(wang), [instance])
    (slow,) = BatchItem.objects.claim_due(1)
    BatchItem.objects.update(next_attempt_at=timezone.now())  # its lease has ended
    (quick,) = BatchItem.objects.claim_due(1)
    operations = SyncOperation.objects.count()
    with pytest.raises(LeaseLost):
        batches.handle(slow)
    assert (status_of(instance), SyncOperation.objects.count()) == ("pending", operations)
    batches.handle(quick)
    assert outcomes(batch) == [("done", "")]
    assert instance.timeline.filter(action="approve").count() == 1


def test_only_the_last_item_ends_the_batch(waiting, wang, as_actor) -> None:
    batch = opened(as_actor(wang), waiting(3))
    for left in (2, 1, 0):
        (item,) = BatchItem.objects.claim_due(1)
        batches.handle(item)
        batch.refresh_from_db()
        assert (tally(batch).open, batch.finished_at is None) == (left, left > 0)


def test_items_that_crash_die_and_end_the_batch_and_can_be_tried_again(waiting, wang, as_actor) -> None:
    first, second = waiting(2)
    batch = opened(as_actor(wang), [first, second])
    for item in BatchItem.objects.claim_due(2):
        if item.instance_id == first.pk:
            item._die("ValueError: broken")
        else:
            batches.handle(item)
    batch.refresh_from_db()
    assert (batch.finished_at is None, tally(batch)) == (False, Tally(1, 0, 0, failed=1, open=0, waiting=0))
    assert outcomes(batch)[0] == ("", "ValueError: broken")

    assert batches.retry(batch.items.filter(status=Status.DEAD)) == 1
    batch.refresh_from_db()
    assert (batch.finished_at, tally(batch).open) == (None, 1)
    run_due()
    batch.refresh_from_db()
    assert (batch.finished_at is None, tally(batch)) == (False, Tally(2, 0, 0, 0, open=0, waiting=0))


def test_the_sweep_wakes_a_worker_for_items_that_were_left_behind(waiting, wang, as_actor) -> None:
    opened(as_actor(wang), waiting(2))
    assert sweep(BatchItem) == 2
    assert flush()


def test_each_outcome_has_a_place_in_the_tally() -> None:
    assert {outcome.value for outcome in BatchOutcome} <= set(Tally.__dataclass_fields__)


# -- looking -----------------------------------------------------------------------------------------------------------


def test_people_see_their_own_batches_and_overseers_all(waiting, wang, zhao, ada, as_actor) -> None:
    batch = opened(as_actor(wang), waiting(1))
    assert list(batches.batches_of(wang)) == [batch]
    assert list(batches.batches_of(zhao)) == []
    assert list(batches.batches_of(ada)) == [batch]
