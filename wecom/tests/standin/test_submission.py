"""``oa/applyevent`` and the reads of one approval (docs 91982, 91853, 91983)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wecom.tests.standin.conftest import TEMPLATE, Standin, contents, node, submission, table_row


def test_the_template_describes_every_control(standin: Standin) -> None:
    content = standin.call("oa/gettemplatedetail", {"template_id": TEMPLATE})["template_content"]
    kinds = {control["property"]["id"]: control["property"]["control"] for control in content["controls"]}
    assert kinds["Money-04"] == "Money"
    table = next(control for control in content["controls"] if control["property"]["control"] == "Table")
    assert [child["property"]["title"][0]["text"] for child in table["config"]["table"]["children"]] == [
        "名称",
        "规格",
        "数量",
        "单价",
        "金额",
    ]


def test_an_unknown_template_is_a_parameter_error(standin: Standin) -> None:
    assert standin.errcode("oa/gettemplatedetail", {"template_id": "TplNone"}) == 301025
    assert standin.errcode("oa/applyevent", submission(template_id="TplNone")) == 301025


def test_a_submission_can_be_read_back_in_wecoms_shape(standin: Standin) -> None:
    sp_no = standin.submit(nodes=[node("wang.boss", "zhao.vp", relation=2), node("finance01", kind=2)])
    info = standin.detail(sp_no)

    assert (info["sp_status"], info["template_id"]) == (1, TEMPLATE)
    assert info["applyer"] == {"userid": "li.mei", "partyid": "7"}
    assert info["sp_record"][0]["approverattr"] == 1  # any, counted the other way round than apv_rel
    assert [entry["node_type"] for entry in info["process_list"]["node_list"]] == [1, 2]
    assert info["process_list"]["node_list"][0]["apv_rel"] == 2
    assert info["notifyer"] == [{"userid": "finance01"}]
    values = {entry["id"]: entry["value"] for entry in info["apply_data"]["contents"]}
    assert values["Money-04"]["new_money"] == "127.50"
    assert values["Money-04"]["members"] == []  # one of the unrelated keys of the real answers
    assert values["Selector-05"]["selector"]["options"][0]["value"] == [{"text": "CNY", "lang": "zh_CN"}]
    assert values["Table-07"]["children"][0]["list"][0]["title"] == [{"text": "名称", "lang": "zh_CN"}]


def test_numbers_count_up_within_a_day(standin: Standin) -> None:
    first, second = standin.submit(), standin.submit()
    assert int(second) == int(first) + 1
    assert len(first) == 12


def test_the_console_flow_is_used_on_request(standin: Standin) -> None:
    sp_no = standin.submit(use_template_approver=1, process=None)
    nodes = standin.detail(sp_no)["process_list"]["node_list"]
    assert [[person["userid"] for person in entry["sub_node_list"]] for entry in nodes] == [
        ["sun.director"],
        ["wang.boss", "zhao.vp"],
        ["finance01"],
    ]


@pytest.mark.parametrize("userid", ["nobody", "guo.guest"])
def test_an_applicant_outside_the_scope_is_301055(standin: Standin, userid: str) -> None:
    assert standin.errcode("oa/applyevent", submission(creator_userid=userid)) == 301055


def test_userids_are_compared_without_case(standin: Standin) -> None:
    assert standin.detail(standin.submit(creator_userid="LI.Mei"))["applyer"]["userid"] == "li.mei"


def incomplete_row() -> dict[str, Any]:
    row = table_row()
    row["list"].pop()
    return row


REFUSED_FORMS = {
    "nothing": [],
    "required control missing": contents()[1:],
    "required control empty": contents(Text_01={"text": ""}),
    "unknown control": contents(Text_99={"text": "x"}),
    "control given twice": [*contents(), contents()[0]],
    "wrong type of control": [{**contents()[0], "control": "Textarea"}, *contents()[1:]],
    "line break in a Text": contents(Text_01={"text": "a\nb"}),
    "amount as a number": contents(Money_04={"new_money": 127.5}),
    "amount with a comma": contents(Money_04={"new_money": "1,000.00"}),
    "time stamp as a number": contents(Date_06={"date": {"type": "day", "s_timestamp": 1767196800}}),
    "date type of another template": contents(Date_06={"date": {"type": "hour", "s_timestamp": "1767196800"}}),
    "unknown option": contents(Selector_05={"selector": {"type": "single", "options": [{"key": "option-99"}]}}),
    "two options of a single choice": contents(
        Selector_05={"selector": {"type": "single", "options": [{"key": "option-1"}, {"key": "option-2"}]}}
    ),
    "table without rows": contents(Table_07={"children": []}),
    "row without all sub-controls": contents(Table_07={"children": [table_row(), incomplete_row()]}),
    "empty required cell": contents(Table_07={"children": [table_row("")]}),
}


@pytest.mark.parametrize("form", REFUSED_FORMS.values(), ids=REFUSED_FORMS.keys())
def test_a_form_that_does_not_match_the_template_is_301025(standin: Standin, form: list[dict[str, Any]]) -> None:
    body = submission() | {"apply_data": {"contents": form}}
    assert standin.errcode("oa/applyevent", body) == 301025
    assert standin.get("stats")["approvals"]["total"] == 0


REFUSED_FIELDS: dict[str, dict[str, Any]] = {
    "no flow": {"process": {"node_list": []}},
    "only copies": {"process": {"node_list": [node("finance01", kind=2)]}},
    "unknown relation": {"process": {"node_list": [node("wang.boss", relation=4)]}},
    "stranger in the flow": {"process": {"node_list": [node("nobody")]}},
    "nobody in a node": {"process": {"node_list": [node()]}},
    "no summary": {"summary_list": []},
    "four summary lines": {"summary_list": [{"summary_info": [{"text": "x", "lang": "zh_CN"}]}] * 4},
    "summary of 21 characters": {"summary_list": [{"summary_info": [{"text": "报" * 21, "lang": "zh_CN"}]}]},
    "wrong language tag": {"summary_list": [{"summary_info": [{"text": "x", "lang": "zh-CN"}]}]},
    "somebody else's department": {"choose_department": 4},
    "flow source missing": {"use_template_approver": None},
}


@pytest.mark.parametrize("fields", REFUSED_FIELDS.values(), ids=REFUSED_FIELDS.keys())
def test_a_wrong_field_is_301025(standin: Standin, fields: dict[str, Any]) -> None:
    assert standin.errcode("oa/applyevent", submission(**fields)) == 301025


def test_a_summary_of_20_characters_in_three_lines_passes(standin: Standin) -> None:
    line = {"summary_info": [{"text": "报" * 20, "lang": "zh_CN"}]}
    assert standin.errcode("oa/applyevent", submission(summary_list=[line] * 3)) == 0


def test_unicode_escapes_are_refused(standin: Standin) -> None:
    assert standin.errcode("oa/applyevent", json.dumps(submission()).encode()) == 40033


def test_a_body_that_is_no_json_is_half_read_and_warned_about(standin: Standin) -> None:
    answer = standin.call("oa/applyevent", b"creator_userid=li.mei")
    assert answer["errcode"] == 301055
    assert "Warning: wrong json format." in answer["errmsg"]


def test_a_wrong_field_type_is_read_and_warned_about(standin: Standin) -> None:
    answer = standin.call("oa/applyevent", submission(use_template_approver="0"))
    assert answer["errcode"] == 0
    assert "Warning: wrong json format." in answer["errmsg"]


def test_a_get_is_refused_where_a_post_belongs(standin: Standin) -> None:
    assert standin.errcode("oa/getapprovaldetail") == 40058


def test_an_unknown_number_is_a_parameter_error(standin: Standin) -> None:
    assert standin.errcode("oa/getapprovaldetail", {"sp_no": "202601010001"}) == 301025
