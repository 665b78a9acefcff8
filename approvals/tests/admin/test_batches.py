"""*Approve* and *Sync now* over a list: a batch, its page, and its report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from approvals import engine, quotes
from approvals.actors import actor_for
from approvals.batches import MOST_AT_ONCE, open_batch, run_due
from approvals.models import ApprovalInstance, ApprovalStep, Batch, BatchItem, Channel, Quote
from approvals.tests.admin.conftest import Browser
from approvals.tests.conftest import CONTENT, grant
from config.durable import Status

Login = Callable[..., Browser]
QUOTES = "/admin/approvals/quote/"
APPROVALS = "/admin/approvals/approvalinstance/"


def submitted_by(li: User, *approvers: str) -> ApprovalInstance:
    actor = actor_for(li, Channel.INTERNAL)
    quote = quotes.create_quote(data=CONTENT, actor=actor)
    return engine.submit(quote=quote, actor=actor, flow="internal", approvers=list(approvers or ("wang.boss",)))


def page_of(batch: Batch) -> str:
    return f"/admin/approvals/batch/{batch.pk}/change/"


def question(client: Browser, path: str, action: str, *objs: Any, **more: str) -> dict[str, Any]:
    """Select and press *Go*; returns what the page in between would post."""
    response = client.post(path, {"action": action, "_selected_action": [obj.pk for obj in objs], **more})
    context = response.context
    form = context["form"]
    fields = {name: form.initial.get(name, "") for name in form.fields}
    return {"action": action, "confirmed": "yes", "_selected_action": context["selected"], **fields}


def many(li: User, count: int) -> list[ApprovalInstance]:
    """``count`` approvals that wait for Wang here."""
    names = [f"M{number}" for number in range(count)]
    made = Quote.objects.bulk_create(
        Quote(quote_number=name, title="t", customer_name="c", owner=li, approval_status="pending") for name in names
    )
    rows = ApprovalInstance.objects.bulk_create(
        ApprovalInstance(
            quote=quote,
            revision=1,
            third_no=quote.quote_number,
            flow="internal",
            applicant=li,
            snapshot={},
            status="pending",
        )
        for quote in made
    )
    ApprovalStep.objects.bulk_create(
        ApprovalStep(instance=instance, node=0, position=0, userid="wang.boss") for instance in rows
    )
    return rows


# -- asking ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [QUOTES, APPROVALS])
def test_approving_many_asks_once_and_leads_to_the_batch(li: User, wang: User, log_in: Login, path: str) -> None:
    instances = [submitted_by(li), submitted_by(li)]
    chosen = [instance.quote for instance in instances] if path == QUOTES else instances
    client = log_in(wang)
    form = question(client, path, "approve", *chosen)
    assert not Batch.objects.exists()
    response = client.post(path, form | {"comment": "as discussed"})
    batch = Batch.objects.get()
    assert response.headers["Location"] == page_of(batch)
    assert (batch.verb, batch.comment, batch.channel, batch.actor) == ("approve", "as discussed", "internal", wang)
    assert {item.instance_id for item in batch.items.all()} == {instance.pk for instance in instances}
    assert "2 approvals" in LogEntry.objects.get(user=wang).change_message
    run_due()
    assert set(ApprovalInstance.objects.values_list("status", flat=True)) == {"approved"}


@pytest.mark.parametrize("path", [QUOTES, APPROVALS])
def test_comparing_many_asks_first_too(submitted: Any, chen: User, log_in: Login, path: str) -> None:
    grant(chen, "view_all_quotes")
    instance = submitted(sp_no="202601050001")
    client = log_in(User.objects.get(pk=chen.pk))
    form = question(client, path, "sync", instance.quote if path == QUOTES else instance)
    assert "comment" not in form
    client.post(path, form)
    batch = Batch.objects.get()
    assert (batch.verb, [item.instance for item in batch.items.all()]) == ("sync", [instance])


def test_what_was_submitted_anew_since_the_question_is_left_out(li: User, wang: User, log_in: Login) -> None:
    kept, changed = submitted_by(li), submitted_by(li)
    client = log_in(wang)
    form = question(client, QUOTES, "approve", kept.quote, changed.quote)
    actor = actor_for(li, Channel.INTERNAL)
    engine.withdraw(instance=changed, actor=actor)
    quotes.revise(quote=changed.quote, actor=actor)
    engine.submit(quote=changed.quote, actor=actor, flow="internal", approvers=["wang.boss"])
    (message,) = client.told(QUOTES, form)
    assert "Left out" in message
    assert changed.quote.quote_number in message
    assert [item.instance for item in BatchItem.objects.all()] == [kept]


def test_quotes_without_an_approval_are_left_out_and_none_at_all_is_said(
    li: User, ada: User, quote: Quote, log_in: Login
) -> None:
    client = log_in(ada)
    told = client.told(QUOTES, question(client, QUOTES, "approve", quote))
    assert "Left out" in told[0]
    assert told[1] == "Choose at least one approval."
    assert not Batch.objects.exists()


def test_an_action_needs_its_right(li: User, wang: User, chen: User, log_in: Login) -> None:
    grant(chen, "view_all_quotes")
    instance = submitted_by(li)
    for user, action in ((chen, "approve"), (wang, "sync")):
        log_in(user).post(
            APPROVALS,
            {"action": action, "_selected_action": [instance.pk], "confirmed": "yes", "approvals": str(instance.pk)},
        )
    assert not Batch.objects.exists()


def test_ids_that_were_not_selected_count_for_nothing(li: User, wang: User, log_in: Login) -> None:
    mine, other = submitted_by(li), submitted_by(li)
    form = {
        "action": "approve",
        "_selected_action": [mine.pk],
        "confirmed": "yes",
        "approvals": f"{mine.pk},{other.pk},x",
    }
    log_in(wang).post(APPROVALS, form)
    assert [item.instance for item in BatchItem.objects.all()] == [mine]


@pytest.mark.parametrize("path", [QUOTES, APPROVALS])
def test_a_thousand_across_all_pages_are_asked_and_queued_in_few_queries(
    li: User, wang: User, log_in: Login, django_assert_max_num_queries: Any, path: str
) -> None:
    instances = many(li, MOST_AT_ONCE)
    client = log_in(wang)
    first = instances[-1].quote if path == QUOTES else instances[-1]
    with django_assert_max_num_queries(20):
        form = question(client, path, "approve", first, select_across="1", index="0")
    assert len(form["_selected_action"]) == MOST_AT_ONCE
    with django_assert_max_num_queries(45):  # SQLite takes a few dozen rows per INSERT
        response = client.post(path, form)
    batch = Batch.objects.get()
    assert (response.headers["Location"], batch.total) == (page_of(batch), MOST_AT_ONCE)


def test_more_than_a_thousand_are_refused(li: User, wang: User, log_in: Login) -> None:
    instances = many(li, MOST_AT_ONCE + 1)
    everything = {"action": "approve", "_selected_action": [instances[0].pk], "select_across": "1", "index": "0"}
    (message,) = log_in(wang).told(APPROVALS, everything)
    assert str(MOST_AT_ONCE) in message


# -- following ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(li: User, wang: User) -> Callable[..., Batch]:
    def make(*instances: ApprovalInstance, verb: str = "approve") -> Batch:
        ids = [instance.pk for instance in instances or (submitted_by(li),)]
        return open_batch(verb=verb, ids=ids, actor=actor_for(wang, Channel.INTERNAL))

    return make


def test_the_page_follows_the_batch_and_reports_at_the_end(li: User, wang: User, asked: Any, log_in: Login) -> None:
    good, foreign = submitted_by(li), submitted_by(li, "zhao.vp", "wang.boss")
    batch = asked(good, foreign)
    engine.reject(instance=foreign, actor=actor_for(wang, Channel.INTERNAL), reason="no")
    client = log_in(wang)
    progress = client.get(f"/admin/approvals/batch/{batch.pk}/progress").json()
    assert (progress["open"], progress["percent"], progress["extent"]) == (True, 0, "0 of 2 approvals")
    assert 'data-open="true"' in client.page(page_of(batch))
    run_due()
    progress = client.get(f"/admin/approvals/batch/{batch.pk}/progress").json()
    assert (progress["open"], progress["percent"], progress["tone"]) == (False, 100, "warning")
    assert [count["value"] for count in progress["counts"]] == [1, 0, 1, 0, 0]
    page = client.page(page_of(batch))
    assert "no longer in a state that allows this" in page
    assert f"{APPROVALS}{foreign.pk}/change/" in page
    assert f"{APPROVALS}{good.pk}/change/" not in page


def test_a_batch_without_a_worker_says_what_is_missing(asked: Any, wang: User, log_in: Login) -> None:
    batch = asked()
    Batch.objects.update(created_at=timezone.now() - timedelta(seconds=30))
    assert "No worker" in log_in(wang).get(f"/admin/approvals/batch/{batch.pk}/progress").json()["message"]


def test_what_is_tried_again_is_said_with_its_reason(asked: Any, wang: User, log_in: Login) -> None:
    batch = asked()
    BatchItem.objects.update(status=Status.FAILED, last_error="WeCom is away.")
    message = log_in(wang).get(f"/admin/approvals/batch/{batch.pk}/progress").json()["message"]
    assert message == "1 is tried again by itself: WeCom is away."


def test_what_failed_for_good_is_tried_again_by_who_asked(asked: Any, wang: User, log_in: Login) -> None:
    batch = asked()
    (item,) = BatchItem.objects.claim_due(1)
    item._die("KeyError: x")
    client = log_in(wang)
    assert "KeyError: x" in client.page(page_of(batch))
    (message,) = client.told(reverse("admin:approvals_batchitem_retry_page", args=[item.pk]))
    assert "will be tried again" in message
    run_due()
    item.refresh_from_db()
    assert item.outcome == "done"


def test_people_see_their_own_and_overseers_all(asked: Any, wang: User, zhao: User, ada: User, log_in: Login) -> None:
    batch = asked()
    item = batch.items.get()
    for user, seen in ((wang, True), (zhao, False), (ada, True)):
        client = log_in(user)
        assert client.get(page_of(batch)).status_code == (200 if seen else 302)
        assert client.get(f"/admin/approvals/batch/{batch.pk}/progress").status_code == (200 if seen else 404)
        assert (f"/batch/{batch.pk}/change/" in client.page("/admin/approvals/batch/")) is seen
        assert client.get(f"/admin/approvals/batchitem/{item.pk}/change/").status_code == (200 if seen else 302)
        assert (item.instance.third_no in client.page("/admin/approvals/batchitem/")) is seen


def test_the_list_of_a_batchs_items_is_one_click_away(asked: Any, wang: User, log_in: Login, li: User) -> None:
    one, other = asked(submitted_by(li)), asked(submitted_by(li))
    page = log_in(wang).page(f"/admin/approvals/batchitem/?batch__id__exact={one.pk}")
    assert one.items.get().instance.third_no in page
    assert other.items.get().instance.third_no not in page


def test_who_may_ask_for_nothing_sees_no_batches(li: User, log_in: Login) -> None:
    assert log_in(li).get("/admin/approvals/batch/").status_code == 403
