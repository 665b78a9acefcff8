"""POST /api/approvals/batch and its report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from approvals import engine, quotes
from approvals.actors import actor_for
from approvals.batches import MOST_AT_ONCE, run_due
from approvals.models import ApprovalInstance, Batch, BatchItem, Channel
from approvals.tests.api.conftest import client_of
from approvals.tests.conftest import CONTENT

Submitted = Callable[..., ApprovalInstance]
PATH = "/api/approvals/batch"


@pytest.fixture
def two(li: User) -> list[int]:
    """Of two approvals, the second waits for Zhao first."""
    actor = actor_for(li, Channel.INTERNAL)
    return [
        engine.submit(
            quote=quotes.create_quote(data=CONTENT, actor=actor), actor=actor, flow="internal", approvers=people
        ).pk
        for people in ([{"userids": ["wang.boss"]}], [{"userids": ["zhao.vp"]}, {"userids": ["wang.boss"]}])
    ]


def ask(user: User, **body: Any) -> Any:
    return client_of(user).post(PATH, body, format="json", headers={"Accept-Language": "en"})


def report(user: User, pk: int, **query: Any) -> Any:
    return client_of(user).get(f"{PATH}/{pk}", query, headers={"Accept-Language": "en"})


def test_many_are_queued_at_once_and_the_report_says_what_became_of_each(two: list[int], wang: User) -> None:
    answer = ask(wang, action="approve", ids=two, comment="fine")
    assert answer.status_code == 202
    queued = answer.json()
    assert (queued["action"], queued["total"], queued["status"], queued["open"]) == ("approve", 2, "running", 2)
    assert queued["finished_at"] is None
    run_due()
    body = report(wang, queued["id"]).json()
    counts = {name: body[name] for name in ("done", "unchanged", "refused", "failed", "open")}
    assert counts == {"done": 1, "unchanged": 0, "refused": 1, "failed": 0, "open": 0}
    assert (body["status"], body["comment"]) == ("finished", "fine")
    assert body["finished_at"]
    assert body["items"]["results"] == [
        {"approval": two[0], "outcome": "done", "message": ""},
        {"approval": two[1], "outcome": "refused", "message": "It is not your turn in this approval."},
    ]
    entry = ApprovalInstance.objects.get(pk=two[0]).timeline.get(action="approve")
    assert (entry.channel, entry.actor, entry.comment) == ("api", "wang", "fine")


def test_the_items_come_in_pages(two: list[int], wang: User) -> None:
    pk = ask(wang, action="approve", ids=two).json()["id"]
    page = report(wang, pk, page_size=1).json()["items"]
    assert (page["count"], [item["approval"] for item in page["results"]]) == (2, two[:1])
    assert page["next"].endswith(f"{PATH}/{pk}?page=2&page_size=1")
    rest = client_of(wang).get(page["next"]).json()["items"]
    assert ([item["approval"] for item in rest["results"]], rest["next"]) == (two[1:], None)
    assert report(wang, pk, page=9).status_code == 404


def test_a_report_costs_the_same_however_many_there_are(two, wang, django_assert_num_queries) -> None:
    pks = [ask(wang, action="approve", ids=ids).json()["id"] for ids in (two[:1], two)]
    client = client_of(wang)
    client.get(f"{PATH}/{pks[0]}")
    for pk in pks:
        with django_assert_num_queries(8):
            client.get(f"{PATH}/{pk}")


@pytest.mark.parametrize("ids", [[], [0], ["x"], [None], [2**63], "1", {"1": 1}, [1] * (MOST_AT_ONCE + 1), [999999]])
def test_impossible_ids_are_refused_and_nothing_is_queued(wang: User, ids: Any) -> None:
    answer = ask(wang, action="approve", ids=ids)
    assert (answer.status_code, set(answer.json())) == (400, {"ids"})
    assert not BatchItem.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [({"ids": [1]}, "action"), ({"action": "reject", "ids": [1]}, "action"), ({"action": "sync"}, "ids")],
)
def test_what_is_missing_or_unknown_is_named(wang: User, body: dict[str, Any], field: str) -> None:
    answer = ask(wang, **body)
    assert (answer.status_code, set(answer.json())) == (400, {field})


def test_approvals_of_others_are_unknown(two: list[int], zhao: User, person: Callable[..., User]) -> None:
    stranger = person("sun", "sun.x", "decide_approval")
    answer = ask(stranger, action="approve", ids=two)
    assert answer.status_code == 400
    assert answer.json() == {"ids": [f"There is no approval {pk}." for pk in two]}


def test_each_action_takes_its_own_right(two: list[int], wang: User, chen: User) -> None:
    for user, action in ((wang, "sync"), (chen, "approve")):
        answer = ask(user, action=action, ids=two)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert not Batch.objects.exists()


def test_reports_of_others_are_not_found_except_by_overseers(two: list[int], wang: User, zhao: User, ada: User) -> None:
    pk = ask(wang, action="approve", ids=two).json()["id"]
    assert report(zhao, pk).status_code == 404
    assert report(ada, pk).status_code == 200
    assert client_of(wang).get(PATH).status_code == 405
