"""``oa/getapprovalinfo`` (doc 91816): windows, filters, cursors; and the limit of 600 calls a minute."""

from __future__ import annotations

import time
from typing import Any

from wecom.tests.standin.conftest import Clock, Standin

DAY = 86400


def request_body(*, days: int = 1, ago: int = 0, **changes: Any) -> dict[str, Any]:
    end = int(time.time()) + 60 - ago * DAY
    return {"starttime": str(end - days * DAY), "endtime": str(end), "new_cursor": "", "size": 100} | changes


def all_numbers(standin: Standin, body: dict[str, Any]) -> tuple[list[str], int]:
    """Every number by following the cursors, and the calls it took."""
    numbers: list[str] = []
    for calls in range(1, 100):
        answer = standin.call("oa/getapprovalinfo", body)
        assert answer["errcode"] == 0, answer
        numbers += answer["sp_no_list"]
        if "new_next_cursor" not in answer:
            return numbers, calls
        body = body | {"new_cursor": answer["new_next_cursor"]}
    raise AssertionError("the list does not end")


def only(**filters: str) -> dict[str, Any]:
    return {"filters": [{"key": key, "value": value} for key, value in filters.items()]}


def test_pages_end_with_a_missing_cursor(standin: Standin) -> None:
    added = [row["sp_no"] for row in standin.post("bulk", count=250)["approvals"]]
    numbers, calls = all_numbers(standin, request_body())
    assert sorted(numbers) == sorted(added)
    assert len(set(numbers)) == 250
    assert calls == 3


def test_short_pages_still_lead_to_everything(standin: Standin) -> None:
    standin.post("bulk", count=120)
    standin.fault("short_pages")
    numbers, calls = all_numbers(standin, request_body())
    assert (len(set(numbers)), calls) == (120, 3)
    assert len(standin.call("oa/getapprovalinfo", request_body())["sp_no_list"]) == 50


def test_the_status_filter_finds_what_is_pending(standin: Standin) -> None:
    first, second = (row["sp_no"] for row in standin.post("bulk", count=2)["approvals"])
    standin.act(first, "agree")
    body = request_body(**only(sp_status="1", template_id="TplQuoteDemo", creator="li.mei", department="7"))
    assert all_numbers(standin, body)[0] == [second]
    assert all_numbers(standin, request_body(**only(sp_status="2")))[0] == [first]
    assert all_numbers(standin, request_body(**only(record_type="1")))[0] == []


def test_departments_may_be_repeated_and_nothing_else(standin: Standin) -> None:
    standin.post("bulk", count=1, creator="li.mei")
    standin.post("bulk", count=1, creator="finance01")
    department = {"key": "department", "value": "7"}, {"key": "department", "value": "4"}
    assert len(all_numbers(standin, request_body(filters=[*department]))[0]) == 2
    status = {"key": "sp_status", "value": "1"}
    assert standin.errcode("oa/getapprovalinfo", request_body(filters=[status, status])) == 301025


def test_a_creator_who_left_is_301055(standin: Standin) -> None:
    assert standin.errcode("oa/getapprovalinfo", request_body(**only(creator="nobody"))) == 301055


def test_the_time_is_that_of_the_submission(standin: Standin) -> None:
    old = standin.post("bulk", count=1, submitted_days_ago=40)["approvals"][0]["sp_no"]
    standin.act(old, "agree")
    assert all_numbers(standin, request_body(days=31))[0] == []
    assert all_numbers(standin, request_body(days=31, ago=31))[0] == [old]


def test_bounds_are_checked(standin: Standin) -> None:
    assert standin.errcode("oa/getapprovalinfo", request_body(days=31)) == 0
    wrong = (
        request_body(days=32),
        request_body(days=-1),
        request_body(size=101),
        request_body(size=0),
        request_body(new_cursor="!"),
        request_body(**only(sp_status="5")),
        request_body(**only(colour="red")),
        {name: value for name, value in request_body().items() if name != "new_cursor"},
    )
    assert [standin.errcode("oa/getapprovalinfo", body) for body in wrong] == [301025] * len(wrong)


def test_too_many_calls_block_that_endpoint_for_a_minute(standin: Standin, clock: Clock) -> None:
    standin.post("settings", calls_per_minute=3)
    codes = [standin.errcode("oa/getapprovalinfo", request_body()) for _ in range(5)]
    assert codes == [0, 0, 0, 45009, 45009]
    assert standin.errcode("oa/gettemplatedetail", {"template_id": "TplQuoteDemo"}) == 0
    clock.ahead = 61
    assert standin.errcode("oa/getapprovalinfo", request_body()) == 0
