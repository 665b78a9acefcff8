"""The fault switches on the answers: what the client sees, and whether the call took effect."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from wecom.tests.standin.conftest import Receiver, Standin, submission

LIST = {"starttime": "1767225600", "endtime": "1767229200", "new_cursor": "", "size": 100}


def test_an_error_code_comes_as_often_as_told_and_only_there(standin: Standin) -> None:
    standin.fault("errcode", errcode=45009, endpoint="oa/applyevent", count=2)
    codes = [standin.errcode("oa/applyevent", submission()) for _ in range(3)]
    assert codes == [45009, 45009, 0]
    assert standin.get("stats")["calls"]["oa/applyevent"] == {"total": 3, "errcodes": {"0": 1, "45009": 2}}
    assert standin.get("stats")["approvals"]["total"] == 1


@pytest.mark.parametrize("errcode", [-1, 42001, 40014, 301055, 60020, 301026, 301057])
def test_any_error_code_can_be_answered_everywhere(standin: Standin, errcode: int) -> None:
    token = standin.gettoken()["access_token"]
    standin.fault("errcode", errcode=errcode)
    assert standin.call("oa/getapprovalinfo", LIST, token=token)["errcode"] == errcode
    assert standin.call("user/get", token=token, userid="li.mei")["errcode"] == errcode
    assert standin.gettoken()["errcode"] == errcode


def test_an_error_code_may_hide_that_it_happened(standin: Standin, receiver: Receiver) -> None:
    standin.fault("errcode", errcode=301057, endpoint="oa/applyevent", effect=True, count=1)
    assert standin.errcode("oa/applyevent", submission()) == 301057
    assert standin.get("stats")["approvals"]["total"] == 1
    receiver.wait_for(1)


@pytest.mark.parametrize(("kind", "submitted"), [("close_before", 0), ("close_after", 1)])
def test_a_connection_closes_before_or_after_accepting(
    standin: Standin, receiver: Receiver, kind: str, submitted: int
) -> None:
    standin.call("getcallbackip")
    standin.fault(kind, endpoint="oa/applyevent", count=1)
    with pytest.raises(requests.ConnectionError):
        standin.call("oa/applyevent", submission())
    assert standin.get("stats")["approvals"]["total"] == submitted
    if submitted:
        receiver.wait_for(1)
    assert standin.errcode("oa/applyevent", submission()) == 0


def test_a_slow_answer_comes_after_the_effect(standin: Standin) -> None:
    token = standin.gettoken()["access_token"]
    standin.fault("slow", seconds=1.0, endpoint="oa/applyevent", count=1)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{standin.url}/cgi-bin/oa/applyevent", params={"access_token": token}, json=submission_ascii(), timeout=0.3
        )
    assert standin.get("stats")["approvals"]["total"] == 1


def submission_ascii() -> dict[str, Any]:
    """A submission that ``requests`` can encode without escapes."""
    body = submission()
    body["apply_data"]["contents"][1]["value"] = {"text": "Hengyuan"}
    return body


def test_a_gateway_error_is_a_page_not_json(standin: Standin) -> None:
    standin.fault("http_status", status=502, endpoint="gettoken", count=1)
    answer = requests.get(f"{standin.url}/cgi-bin/gettoken", timeout=10)
    assert answer.status_code == 502
    assert answer.headers["Content-Type"].startswith("text/html")


def test_the_secret_can_be_made_wrong(standin: Standin) -> None:
    standin.fault("wrong_secret", count=1)
    assert standin.gettoken()["errcode"] == 40001
    assert standin.gettoken()["errcode"] == 0


def test_switches_are_listed_and_switched_off(standin: Standin) -> None:
    standin.fault("callback_drop")
    standin.fault("errcode", errcode=-1, endpoint="/cgi-bin/oa/applyevent")
    faults = standin.get("faults")["faults"]
    assert [(fault["kind"], fault["endpoint"], fault["remaining"]) for fault in faults] == [
        ("callback_drop", "*", None),
        ("errcode", "oa/applyevent", None),
    ]
    left = standin.session.delete(f"{standin.url}/standin/api/faults/{faults[0]['id']}", timeout=10).json()
    assert [fault["kind"] for fault in left["faults"]] == ["errcode"]
    standin.session.delete(f"{standin.url}/standin/api/faults", timeout=10)
    assert standin.get("faults")["faults"] == []
    assert standin.errcode("oa/applyevent", submission()) == 0


@pytest.mark.parametrize("body", [{"kind": "earthquake"}, {"kind": "errcode", "errcode": "many"}, {}])
def test_an_unreadable_switch_is_refused(standin: Standin, body: dict[str, str]) -> None:
    answer = standin.session.post(f"{standin.url}/standin/api/faults", json=body, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_reset_forgets_everything_but_the_numbers(standin: Standin) -> None:
    first = standin.submit()
    standin.fault("callback_drop")
    standin.post("reset")
    stats = standin.get("stats")
    assert (stats["approvals"], stats["calls"], stats["events"]["sent"]) == ({"total": 0}, {}, 0)
    assert standin.get("faults")["faults"] == []
    fresh = standin.gettoken()["access_token"]
    answer = standin.call("oa/applyevent", submission(), token=fresh)
    assert int(answer["sp_no"]) == int(first) + 1
