"""Templates, submission, lists and details over the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from wecom.callback_ips import get_callback_ips
from wecom.errors import OutcomeUnknown, PermanentError, RetryableError
from wecom.oa import apply_event, get_approval_detail, get_template_detail, list_approval_numbers, windows
from wecom.open_approval import get_open_approval
from wecom.tests.peers import Received

LIST = "oa/getapprovalinfo"
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def numbers(client, start=START, end=START + DAY, **arguments) -> list[str]:
    return list(list_approval_numbers(client, start=start, end=end, **arguments))


def page(*found: str, cursor: str | None = None) -> dict:
    return {"errcode": 0, "sp_no_list": list(found)} | ({"new_next_cursor": cursor} if cursor is not None else {})


def control(kind: str, control_id: str, title: str, *, require: int = 0, config: dict | None = None) -> dict:
    texts = [{"text": f"{title} in English", "lang": "en"}, {"text": title, "lang": "zh_CN"}]
    described = {"control": kind, "id": control_id, "title": texts, "require": require, "un_print": 1}
    return {"property": described, "config": config} if config else {"property": described}


def test_a_template_is_read_with_its_tables_and_options(wecom_client, peer):
    date = {"date": {"type": "day"}}
    columns = {"table": {"children": [control("Text", "Text-04", "产品", require=1)], "stat_field": []}}
    peer.answer(
        "oa/gettemplatedetail",
        {
            "errcode": 0,
            "template_names": [{"text": "报价审批", "lang": "zh_CN"}, {"text": "Quote", "lang": "en"}],
            "template_content": {
                "controls": [
                    control("Text", "Text-01", "单号", require=1),
                    control("Date", "Date-02", "有效期", config=date),
                    control("Table", "Table-03", "明细", config=columns),
                ]
            },
        },
    )
    template = get_template_detail(wecom_client, "TplQuote")
    text, day, table = template.controls
    assert template.name == "报价审批"
    assert (text.id, text.type, text.title, text.required, text.children) == ("Text-01", "Text", "单号", True, ())
    assert (day.required, day.config) == (False, date)
    assert [(child.id, child.required) for child in table.children] == [("Text-04", True)]
    assert peer.calls("oa/gettemplatedetail")[0].body == {"template_id": "TplQuote"}


def test_a_submission_returns_its_number_as_text(wecom_client, peer):
    peer.answer("oa/applyevent", {"errcode": 0, "errmsg": "ok", "sp_no": "202601010001"})
    assert apply_event(wecom_client, {"creator_userid": "li.mei"}) == "202601010001"


def test_a_submission_without_a_number_may_have_happened(wecom_client, peer):
    peer.answer("oa/applyevent", {"errcode": 0, "errmsg": "ok"}, {"errcode": 301057, "errmsg": "failed"})
    for _attempt in range(2):
        with pytest.raises(OutcomeUnknown):
            apply_event(wecom_client, {})


def test_a_list_follows_the_cursor_also_past_short_and_empty_pages(wecom_client, peer):
    peer.answer(LIST, page("1", "2", cursor="a"), page(cursor="b"), page("3"))
    filters = {"sp_status": "1", "creator": "li.mei"}
    assert numbers(wecom_client, filters=filters) == ["1", "2", "3"]
    bodies = [request.body for request in peer.calls(LIST)]
    assert [body["new_cursor"] for body in bodies] == ["", "a", "b"]
    assert bodies[0] == {
        "starttime": "1767225600",
        "endtime": "1767312000",
        "new_cursor": "",
        "size": 100,
        "filters": [{"key": "sp_status", "value": "1"}, {"key": "creator", "value": "li.mei"}],
    }


def test_a_long_range_is_walked_in_windows_of_31_days_and_each_number_comes_once(wecom_client, peer):
    peer.answer(LIST, page("1", "2"), page("2", "3"), page("4"))
    start = START + timedelta(seconds=0.5)
    assert numbers(wecom_client, start=start, end=start + 70 * DAY) == ["1", "2", "3", "4"]
    spans = [(int(request.body["starttime"]), int(request.body["endtime"])) for request in peer.calls(LIST)]
    assert [end - begin for begin, end in spans] == [31 * 86400, 31 * 86400, 8 * 86400 + 1]
    assert [begin for begin, _end in spans[1:]] == [end for _begin, end in spans[:-1]]
    assert spans[0][0] == 1767225600


@pytest.mark.parametrize(
    ("length", "pieces"),
    [(timedelta(), 0), (DAY, 1), (31 * DAY, 1), (31 * DAY + timedelta(seconds=1), 2), (93 * DAY, 3)],
)
def test_windows(length, pieces):
    assert len(list(windows(START, START + length))) == pieces


def test_a_list_is_fetched_as_it_is_read(wecom_client, peer):
    peer.answer(LIST, page("1", cursor="a"), page("2"))
    assert next(list_approval_numbers(wecom_client, start=START, end=START + DAY)) == "1"
    assert len(peer.calls(LIST)) == 1


@pytest.mark.parametrize("errcode", [50100, 60268])
def test_a_lost_cursor_starts_the_window_again(wecom_client, peer, errcode):
    peer.answer(LIST, page("1", cursor="a"), {"errcode": errcode, "errmsg": "cursor"}, page("1", "2"))
    assert numbers(wecom_client) == ["1", "2"]
    assert [request.body["new_cursor"] for request in peer.calls(LIST)] == ["", "a", ""]


def test_a_cursor_that_is_lost_again_is_an_error(wecom_client, peer):
    peer.answer(LIST, page("1", cursor="a"), {"errcode": 50100, "errmsg": "cursor"})
    with pytest.raises(RetryableError):
        numbers(wecom_client)


def test_a_range_that_is_too_large_is_halved(wecom_client, peer):
    def answer(request: Received) -> dict:
        begin, end = int(request.body["starttime"]), int(request.body["endtime"])
        return page(str(begin)) if end - begin <= 6 * 3600 else {"errcode": 301112, "errmsg": "too large"}

    peer.answer(LIST, answer)
    assert len(numbers(wecom_client)) == 4


def test_a_list_that_leads_in_a_circle_ends(wecom_client, peer):
    peer.answer(LIST, page("1", cursor="a"), page("2", cursor="a"))
    with pytest.raises(RetryableError):
        numbers(wecom_client)


def test_a_detail_becomes_a_snapshot(wecom_client, peer):
    peer.answer(
        "oa/getapprovaldetail",
        {"errcode": 0, "info": {"sp_no": "202601010001", "sp_status": 2, "apply_time": 1767225600}},
        {"errcode": 0, "info": {}},
    )
    snapshot = get_approval_detail(wecom_client, "202601010001")
    assert (snapshot.kind, snapshot.sp_no, snapshot.status) == ("oa", "202601010001", "approved")
    assert peer.calls("oa/getapprovaldetail")[0].body == {"sp_no": "202601010001"}
    with pytest.raises(RetryableError):  # an answer about nothing
        get_approval_detail(wecom_client, "202601010001")


def test_an_engine_form_is_read_by_our_number(wecom_client, peer):
    endpoint = "corp/getopenapprovaldata"
    peer.answer(
        endpoint,
        {"errcode": 0, "data": {"ThirdNo": "CIS-20260101-0001", "OpenSpstatus": 3}},
        {"errcode": 0, "data": {}},
        {"errcode": 0, "data": {"OpenSpstatus": 3}},
        {"errcode": 301025, "errmsg": "invalid param"},
    )
    snapshot = get_open_approval(wecom_client, "CIS-20260101-0001")
    assert snapshot is not None
    assert (snapshot.kind, snapshot.third_no, snapshot.status) == ("engine", "CIS-20260101-0001", "rejected")
    assert peer.calls(endpoint)[0].body == {"thirdNo": "CIS-20260101-0001"}
    assert get_open_approval(wecom_client, "x") is None
    with pytest.raises(RetryableError):
        get_open_approval(wecom_client, "x")
    with pytest.raises(PermanentError):
        get_open_approval(wecom_client, "x")


def test_callback_addresses(wecom_client, peer):
    peer.answer("getcallbackip", {"ip_list": ["203.0.113.*", "198.51.100.7"], "errcode": 0, "errmsg": "ok"})
    assert get_callback_ips(wecom_client) == ["203.0.113.*", "198.51.100.7"]
    assert peer.calls("getcallbackip")[0].method == "GET"
