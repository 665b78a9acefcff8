"""/api/approvals: the shape of the contract, verbs, timeline, status query, filters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import translation
from rest_framework.test import APIClient

from approvals import engine, quotes
from approvals.actors import actor_for
from approvals.models import ApprovalInstance, Channel, Quote
from approvals.problems import REMEDIES
from approvals.tests.api.conftest import client_of
from approvals.tests.snapshots import says, step
from wecom.errors import describe

Submitted = Callable[..., ApprovalInstance]
NINE = datetime(2026, 1, 6, 1, 0, tzinfo=UTC)  # in Shanghai


def test_an_approval_has_exactly_the_keys_of_the_contract(submitted: Submitted, wang: User) -> None:
    with time_machine.travel(NINE, tick=False):
        instance = submitted(approvers=["wang.boss"], sp_no="202601060001")
    client = client_of(wang)
    expected = {
        "id": instance.pk,
        "quote_number": instance.quote.quote_number,
        "third_no": instance.third_no,
        "sp_no": "202601060001",
        "flow": "wecom_oa",
        "status": "pending",
        "remote_status": "pending",
        "remote_pending": False,
        "conflict": False,
        "applicant": "li",
        "submitted_at": "2026-01-06T09:00:00+08:00",
        "decided_at": None,
        "last_synced_at": "2026-01-06T09:00:00+08:00",
        "error": None,
        "steps": [{"userid": "wang.boss", "name": "Wang", "status": "pending", "comment": "", "time": None}],
    }
    assert client.get(f"/api/approvals/{instance.pk}").json() == expected
    assert client.get("/api/approvals").json() == {"count": 1, "next": None, "previous": None, "results": [expected]}


def test_who_gets_a_copy_is_no_step(submitted: Submitted, li: User) -> None:
    instance = submitted(sp_no="S1")
    flow = [step("wang.boss"), step("finance01", status="", node=1, kind="cc")]
    engine.apply_remote(says("pending", sp_no="S1", steps=flow), source="callback")
    assert set(instance.steps.values_list("kind", flat=True)) == {"approver", "cc"}
    body = client_of(li).get(f"/api/approvals/{instance.pk}").json()
    assert [(step["userid"], step["status"]) for step in body["steps"]] == [("wang.boss", "pending")]


def test_a_refused_submission_says_why_and_what_to_do(submitted: Submitted, li: User) -> None:
    instance = engine.submission_failed(instance=submitted(), code="301025", message="as WeCom put it")
    error = client_of(li).get(f"/api/approvals/{instance.pk}").json()["error"]
    with translation.override("zh-hans"):
        known = describe(301025)
        assert error == {"errcode": 301025, "message": str(known.sentence), "remedy": str(known.remedy)}


def test_a_reason_of_our_own_has_no_errcode_but_a_remedy(submitted: Submitted, li: User) -> None:
    instance = engine.submission_failed(instance=submitted(), code="value_missing", message="No date.")
    error = client_of(li).get(f"/api/approvals/{instance.pk}").json()["error"]
    with translation.override("zh-hans"):
        assert error == {"errcode": None, "message": "No date.", "remedy": str(REMEDIES["value_missing"])}


# --- verbs --------------------------------------------------------------------------------------------------------


def test_an_approver_approves(submitted: Submitted, wang: User) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="S1")
    answer = client_of(wang).post(f"/api/approvals/{instance.pk}/approve", {"comment": "fine"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["remote_status"], body["remote_pending"]) == ("approved", "pending", True)
    assert [(step["status"], step["comment"]) for step in body["steps"]] == [("approved", "fine")]
    assert Quote.objects.get().approval_status == "approved"
    assert instance.timeline.latest("pk").channel == "api"


def test_rejecting_takes_a_reason(submitted: Submitted, wang: User) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="S1")
    client = client_of(wang)
    for body in ({}, {"reason": ""}, {"reason": "   "}, {"reason": None}, {"reason": "x" * 501}):
        answer = client.post(f"/api/approvals/{instance.pk}/reject", body)
        assert answer.status_code == 400
        assert set(answer.json()) == {"reason"}
    answer = client.post(f"/api/approvals/{instance.pk}/reject", {"reason": "too dear"})
    assert (answer.status_code, answer.json()["status"]) == (200, "rejected")
    assert instance.timeline.latest("pk").comment == "too dear"


def test_the_applicant_reminds_and_withdraws(submitted: Submitted, li: User) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="S1")
    client = client_of(li)
    assert client.post(f"/api/approvals/{instance.pk}/remind").status_code == 200
    again = client.post(f"/api/approvals/{instance.pk}/remind")
    assert (again.status_code, again.json()["code"], again.json()["status"]) == (409, "reminded_recently", "pending")
    withdrawn = client.post(f"/api/approvals/{instance.pk}/withdraw", {"comment": "a mistake"})
    assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "cancelled")


def test_a_delegate_sees_and_decides(submitted: Submitted, wang: User, zhao: User) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="S1")
    path = f"/api/approvals/{instance.pk}"
    assert client_of(zhao).get(path).status_code == 404
    assert client_of(wang).post(f"{path}/delegate", {"delegate_to": "Zhao.VP"}).status_code == 200
    assert client_of(zhao).get(path).status_code == 200
    assert client_of(zhao).post(f"{path}/approve").json()["status"] == "approved"


@pytest.mark.parametrize("userid", [None, "", "<script>", "x" * 65, "wang.boss", ["zhao.vp"], 10**70])
def test_an_impossible_delegate_is_refused(submitted: Submitted, wang: User, userid: Any) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="S1")
    answer = client_of(wang).post(f"/api/approvals/{instance.pk}/delegate", {"delegate_to": userid})
    assert answer.status_code == 400
    assert set(answer.json()) == {"delegate_to"}


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("approve", {}),
        ("reject", {"reason": "no"}),
        ("withdraw", {}),
        ("delegate", {"delegate_to": "zhao.vp"}),
        ("remind", {}),
    ],
)
class TestRefusals:
    def test_a_decided_approval_answers_409_with_its_state(
        self, submitted: Submitted, ada: User, verb: str, body: dict[str, Any]
    ) -> None:
        instance = submitted(approvers=["wang.boss"], sp_no="S1")
        engine.apply_remote(says("approved", sp_no="S1"), source="callback", event_id="e1")
        answer = client_of(ada).post(f"/api/approvals/{instance.pk}/{verb}", body)
        assert answer.status_code == 409
        assert answer.json() == {
            "detail": answer.json()["detail"],
            "code": "wrong_state",
            "id": instance.pk,
            "status": "approved",
            "remote_status": "approved",
        }

    def test_seeing_is_not_acting(self, submitted: Submitted, chen: User, verb: str, body: dict[str, Any]) -> None:
        instance = submitted(approvers=["wang.boss"], sp_no="S1")
        answer = client_of(chen).post(f"/api/approvals/{instance.pk}/{verb}", body)
        assert answer.status_code == 403
        assert answer.json()["code"] == ("not_allowed" if verb in ("withdraw", "remind") else "not_an_approver")
        instance.refresh_from_db()
        assert instance.status == "pending"

    def test_what_cannot_be_seen_is_unknown(
        self, submitted: Submitted, zhao: User, verb: str, body: dict[str, Any]
    ) -> None:
        instance = submitted(approvers=["wang.boss"], sp_no="S1")
        answer = client_of(zhao).post(f"/api/approvals/{instance.pk}/{verb}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_a_verb_is_not_a_page(self, submitted: Submitted, ada: User, verb: str, body: dict[str, Any]) -> None:
        answer = client_of(ada).get(f"/api/approvals/{submitted().pk}/{verb}")
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_applicants_cannot_decide_on_their_own_quotes(submitted: Submitted, li: User) -> None:
    instance = submitted(approvers=["li.mei"], sp_no="S1")
    answer = client_of(li).post(f"/api/approvals/{instance.pk}/approve")
    assert (answer.status_code, answer.json()["code"]) == (403, "own_quote")


def test_whoever_has_decided_waits_for_the_others(submitted: Submitted, wang: User, zhao: User) -> None:
    instance = submitted(approvers=["wang.boss", "zhao.vp"], sp_no="S1")
    client = client_of(wang)
    assert client.post(f"/api/approvals/{instance.pk}/approve").json()["status"] == "pending"
    answer = client.post(f"/api/approvals/{instance.pk}/approve")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_your_turn")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_an_approval_is_never_written_directly(submitted: Submitted, ada: User, method: str) -> None:
    client = client_of(ada)
    for path in ("/api/approvals", f"/api/approvals/{submitted().pk}"):
        assert getattr(client, method)(path, {"status": "approved"}).status_code == 405


# --- timeline -----------------------------------------------------------------------------------------------------


def test_the_timeline_tells_who_when_and_through_which_channel(submitted: Submitted, li: User, wang: User) -> None:
    with time_machine.travel(NINE, tick=False):
        instance = submitted(approvers=["wang.boss"], sp_no="S1")
    engine.apply_remote(says("approved", sp_no="S1", change_code=2), source="callback", event_id="sys:1")
    body = client_of(li).get(f"/api/approvals/{instance.pk}/timeline").json()
    assert body["count"] == 3
    first, _accepted, last = body["results"]
    assert first.pop("event_id").startswith("internal:")
    assert first == {
        "at": "2026-01-06T09:00:00+08:00",
        "channel": "internal",
        "actor": "li",
        "action": "submit",
        "from_status": "not_submitted",
        "to_status": "submitting",
        "outcome": "applied",
        "comment": "",
    }
    assert (last["channel"], last["action"], last["to_status"], last["event_id"]) == (
        "wecom",
        "approve",
        "approved",
        "sys:1",
    )


def test_the_timeline_is_paged(submitted: Submitted, li: User) -> None:
    path = f"/api/approvals/{submitted(sp_no='S1').pk}/timeline"
    client = client_of(li)
    pages = [client.get(f"{path}?page_size=1&page={page}").json()["results"] for page in (1, 2)]
    assert [[entry["to_status"] for entry in page] for page in pages] == [["submitting"], ["pending"]]
    assert client.get(f"{path}?page=3").status_code == 404


def test_the_timeline_of_an_invisible_approval_is_unknown(submitted: Submitted, zhao: User) -> None:
    assert client_of(zhao).get(f"/api/approvals/{submitted().pk}/timeline").status_code == 404


# --- the unified status query -------------------------------------------------------------------------------------


def test_the_status_is_found_by_any_number(submitted: Submitted, li: User) -> None:
    instance = submitted(sp_no="202601060001")
    client = client_of(li)
    expected = client.get(f"/api/approvals/{instance.pk}").json()
    for query in (
        f"quote_number={instance.quote.quote_number}",
        "sp_no=202601060001",
        f"third_no={instance.third_no}",
        f"sp_no=202601060001&third_no={instance.third_no}",
    ):
        answer = client.get(f"/api/approvals/status?{query}")
        assert answer.status_code == 200
        assert answer.json() == expected


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("quote_number=", 400),
        ("sp_no=%00", 400),
        ("sp_no=" + "9" * 65, 400),
        ("quote_number=CIS-20260105-9999", 404),
        ("sp_no=404", 404),
        ("third_no=404", 404),
        ("sp_no=S1&third_no=404", 404),
    ],
)
def test_unknown_and_missing_numbers(submitted: Submitted, li: User, query: str, status: int) -> None:
    submitted(sp_no="S1")
    assert client_of(li).get(f"/api/approvals/status?{query}").status_code == status


def test_a_quote_never_submitted_says_so_with_the_same_keys(quote: Quote, submitted: Submitted, li: User) -> None:
    client = client_of(li)
    path = f"/api/approvals/status?quote_number={quote.quote_number}"
    before = client.get(path).json()
    assert (before["id"], before["status"], before["steps"]) == (None, "not_submitted", [])
    submitted()
    assert list(client.get(path).json()) == list(before)


def test_of_several_approvals_the_latest_counts(quote: Quote, submitted: Submitted, li: User) -> None:
    first = submitted(sp_no="S1")
    engine.withdraw(instance=first, actor=actor_for(li, Channel.INTERNAL))
    second = submitted()
    client = client_of(li)
    assert client.get(f"/api/approvals/status?quote_number={quote.quote_number}").json()["id"] == second.pk
    assert client.get("/api/approvals/status?sp_no=S1").json()["id"] == first.pk


def test_an_approval_of_an_earlier_revision_does_not_count(quote: Quote, submitted: Submitted, li: User) -> None:
    submitted(sp_no="S1")
    engine.apply_remote(says("approved", sp_no="S1"), source="callback", event_id="e1")
    client = client_of(li)
    path = f"/api/approvals/status?quote_number={quote.quote_number}"
    assert client.get(path).json()["status"] == "approved"
    quotes.revise(quote=quote, actor=actor_for(li, Channel.INTERNAL))
    assert client.get(path).json()["status"] == "not_submitted"


def test_the_status_of_an_invisible_quote_is_unknown(quote: Quote, zhao: User) -> None:
    assert client_of(zhao).get(f"/api/approvals/status?quote_number={quote.quote_number}").status_code == 404


# --- filters ------------------------------------------------------------------------------------------------------


@pytest.fixture
def three(li: User, wang: User) -> dict[str, ApprovalInstance]:
    """Submitted on 5, 6 and 7 January (Shanghai): decided here only, in conflict, and internal."""
    made = {}
    for day, (name, flow) in enumerate([("decided", "wecom_oa"), ("conflict", "wecom_oa"), ("internal", "internal")]):
        with time_machine.travel(datetime(2026, 1, 5 + day, 15, 59, tzinfo=UTC), tick=False):
            actor = actor_for(li, Channel.INTERNAL)
            item = {"name": "x", "quantity": 1, "unit_price": 1}
            quote = quotes.create_quote(data={"title": name, "customer_name": "C", "items": [item]}, actor=actor)
            made[name] = engine.submit(quote=quote, actor=actor, flow=flow, approvers=["wang.boss"])
    for name in ("decided", "conflict"):
        engine.submission_accepted(instance=made[name], sp_no=f"sp-{name}")
        engine.approve(instance=made[name], actor=actor_for(wang, Channel.INTERNAL))
    engine.apply_remote(says("rejected", sp_no="sp-conflict"), source="callback", event_id="e1")
    return made


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["internal", "conflict", "decided"]),
        ("status=pending", ["internal"]),
        ("status=pending&status=approved", ["internal", "conflict", "decided"]),
        ("flow=internal", ["internal"]),
        ("quote_number=CIS-20260106-0001", ["conflict"]),
        ("sp_no=sp-decided", ["decided"]),
        ("third_no=CIS-20260107-0001", ["internal"]),
        ("applicant=li", ["internal", "conflict", "decided"]),
        ("applicant=LI.mei", ["internal", "conflict", "decided"]),
        ("applicant=wang", []),
        ("submitted_after=2026-01-06", ["internal", "conflict"]),
        ("submitted_before=2026-01-06", ["conflict", "decided"]),
        ("conflict=true", ["conflict"]),
        ("conflict=false", ["internal", "decided"]),
        ("conflict=", ["internal", "conflict", "decided"]),
        ("remote_pending=true", ["decided"]),
        ("search=sp-dec", ["decided"]),
        ("ordering=submitted_at", ["decided", "conflict", "internal"]),
    ],
)
def test_lists_are_narrowed_and_ordered(
    three: dict[str, ApprovalInstance], ada: User, query: str, names: list[str]
) -> None:
    answer = client_of(ada).get(f"/api/approvals?{query}")
    assert answer.status_code == 200
    assert [row["id"] for row in answer.json()["results"]] == [three[name].pk for name in names]


@pytest.mark.parametrize(
    "query", ["status=odd", "flow=odd", "conflict=maybe", "remote_pending=1", "submitted_after=x", "sp_no=%00"]
)
@pytest.mark.django_db
def test_unreadable_filters_are_refused(ada: User, query: str) -> None:
    answer = client_of(ada).get(f"/api/approvals?{query}")
    assert answer.status_code == 400
    assert set(answer.json()) == {query.split("=", 1)[0]}


def test_a_session_of_the_admin_works_too_and_needs_its_csrf_token(submitted: Submitted, wang: User) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="S1")
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(wang)
    path = f"/api/approvals/{instance.pk}"
    assert client.get(path).status_code == 200
    refused = client.post(f"{path}/approve")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    client.cookies["csrftoken"] = token = "a" * 32
    assert client.post(f"{path}/approve", HTTP_X_CSRFTOKEN=token).status_code == 200
    assert instance.timeline.latest("pk").channel == "api"
