"""Every source of an approval's state read into the one shape, with the quirks of WeCom's own pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom import xml
from wecom.snapshots import (
    BadSnapshot,
    RemoteApproval,
    RemoteComment,
    RemoteStep,
    from_engine_data,
    from_engine_event,
    from_oa_detail,
    from_oa_event,
)

CREATED = datetime.fromtimestamp(1767229200, UTC)
SUBMITTED = datetime.fromtimestamp(1767225600, UTC)
ACTED = datetime.fromtimestamp(1767229199, UTC)

OA_EVENT = """<xml><Event><![CDATA[sys_approval_change]]></Event><AgentID>3010040</AgentID><ApprovalInfo>
<SpNoStr><![CDATA[202601010001]]></SpNoStr><SpNo>202601010001</SpNo><SpName><![CDATA[报价审批]]></SpName>
<SpStatus>1</SpStatus><TemplateId><![CDATA[TplQuoteAAA]]></TemplateId><ApplyTime>1767225600</ApplyTime>
<Applyer><UserId><![CDATA[li.mei]]></UserId><Party><![CDATA[7]]></Party></Applyer>
<SpRecord><SpStatus>2</SpStatus><ApproverAttr>1</ApproverAttr><Details><Approver><UserId>wang.boss</UserId></Approver>
<Speech>ok</Speech><SpStatus>2</SpStatus><SpTime>1767229199</SpTime></Details></SpRecord>
<Notifyer><UserId>finance01</UserId></Notifyer>
<Comments><CommentUserInfo><UserId>zhao.vp</UserId></CommentUserInfo><CommentTime>1767228000</CommentTime>
<CommentContent><![CDATA[why so cheap?]]></CommentContent><CommentId>7001</CommentId></Comments>
<ProcessList>
<NodeList><NodeType>1</NodeType><SpStatus>2</SpStatus><ApvRel>2</ApvRel>
<SubNodeList><UserInfo><UserId>wang.boss</UserId></UserInfo><Speech>ok</Speech><SpYj>2</SpYj><Sptime>1767229199</Sptime></SubNodeList>
<SubNodeList><UserInfo><UserId>zhao.vp</UserId></UserInfo><Speech></Speech><SpYj>1</SpYj><Sptime>0</Sptime></SubNodeList></NodeList>
<NodeList><NodeType>3</NodeType><SpStatus>1</SpStatus><ApvRel>3</ApvRel>
<SubNodeList><UserInfo><UserId>clerk</UserId></UserInfo><SpYj>1</SpYj></SubNodeList></NodeList>
<NodeList><NodeType>2</NodeType><SubNodeList><UserInfo><UserId>finance01</UserId></UserInfo></SubNodeList></NodeList>
</ProcessList><StatuChangeEvent>2</StatuChangeEvent></ApprovalInfo></xml>"""

OA_STEPS = (
    RemoteStep(0, "wang.boss", "approved", 2, "ok", ACTED, "any", "approver"),
    RemoteStep(0, "zhao.vp", "pending", 1, "", None, "any", "approver"),
    RemoteStep(1, "clerk", "pending", 1, "", None, "in_turn", "handler"),
    RemoteStep(2, "finance01", "", 0, "", None, "all", "cc"),
)
COMMENTS = (RemoteComment("zhao.vp", datetime.fromtimestamp(1767228000, UTC), "why so cheap?", "7001"),)

OA_DETAIL: dict[str, Any] = {
    "sp_no": "202601010001",
    "sp_name": "报价审批",
    "template_id": "TplQuoteAAA",
    "sp_status": 1,
    "apply_time": 1767225600,
    "applyer": {"userid": "li.mei", "partyid": "7"},
    "sp_record": [
        {
            "sp_status": 2,
            "approverattr": 1,
            "details": [{"approver": {"userid": "wang.boss"}, "speech": "ok", "sp_status": 2, "sptime": 1767229199}],
        }
    ],
    "process_list": {
        "node_list": [
            {
                "node_type": 1,
                "sp_status": 2,
                "apv_rel": 2,
                "sub_node_list": [
                    {"userid": "wang.boss", "speech": "ok", "sp_yj": 2, "sptime": 1767229199, "media_ids": []},
                    {"userid": "zhao.vp", "speech": "", "sp_yj": 1, "sptime": 0},
                ],
            },
            {"node_type": 3, "apv_rel": 3, "sub_node_list": [{"userid": "clerk", "sp_yj": 1}]},
            {"node_type": 2, "sub_node_list": [{"userid": "finance01"}]},
        ]
    },
    "notifyer": [{"userid": "finance01"}],
    "comments": [
        {
            "commentUserInfo": {"userid": "zhao.vp"},
            "commenttime": 1767228000,
            "commentcontent": "why so cheap?",
            "commentid": "7001",
        }
    ],
}

ENGINE_EVENT = """<xml><Event>open_approval_change</Event><ApprovalInfo><ThirdNo>CIS-20260101-0001</ThirdNo>
<OpenSpName>Quote</OpenSpName><OpenTemplateId>Tpl1</OpenTemplateId><OpenSpStatus>2</OpenSpStatus>
<ApplyTime>1767225600</ApplyTime><ApplyUserName>Li Mei</ApplyUserName><ApplyUserId>li.mei</ApplyUserId>
<ApprovalNodes><ApprovalNode><NodeStatus>2</NodeStatus><NodeAttr>2</NodeAttr><NodeType>1</NodeType>
<Items><Item><ItemName>Wang</ItemName><ItemUserid>wang.boss</ItemUserid><ItemStatus>2</ItemStatus>
<ItemSpeech>fine</ItemSpeech><ItemOpTime>1767229199</ItemOpTime></Item></Items></ApprovalNode></ApprovalNodes>
<NotifyNodes><NotifyNode><ItemName>Fin</ItemName><ItemUserid>finance01</ItemUserid></NotifyNode></NotifyNodes>
<ApproverStep>0</ApproverStep></ApprovalInfo></xml>"""
ENGINE_DATA: dict[str, Any] = {
    "ThirdNo": "CIS-20260101-0001",
    "OpenTemplateId": "Tpl1",
    "OpenSpName": "Quote",
    "OpenSpstatus": 2,
    "ApplyTime": 1767225600,
    "ApplyUsername": "Li Mei",
    "ApplyUserId": "li.mei",
    "ApprovalNodes": {
        "ApprovalNode": [
            {
                "NodeStatus": 2,
                "NodeAttr": 2,
                "Items": {
                    "Item": [
                        {
                            "ItemName": "Wang",
                            "ItemUserId": "wang.boss",
                            "ItemStatus": 2,
                            "ItemSpeech": "fine",
                            "ItemOpTime": 1767229199,
                        }
                    ]
                },
            }
        ]
    },
    "NotifyNodes": {"NotifyNode": [{"ItemName": "Fin", "ItemUserId": "finance01"}]},
    "approverstep": 0,
}
ENGINE_STEPS = (
    RemoteStep(0, "wang.boss", "approved", 2, "fine", ACTED, "all", "approver", "Wang"),
    RemoteStep(1, "finance01", "", 0, "", None, "all", "cc", "Fin"),
)


def oa_event(info: str) -> RemoteApproval:
    return from_oa_event(xml.parse(f"<xml><ApprovalInfo>{info}</ApprovalInfo></xml>".encode()), CREATED)


def test_an_oa_event_is_read_in_full() -> None:
    assert from_oa_event(xml.parse(OA_EVENT.encode()), CREATED) == RemoteApproval(
        kind="oa",
        sp_no="202601010001",
        third_no="",
        status_code=1,
        status="pending",
        template_id="TplQuoteAAA",
        template_name="报价审批",
        applicant="li.mei",
        submitted_at=SUBMITTED,
        steps=OA_STEPS,
        comments=COMMENTS,
        change_code=2,
        changed_at=CREATED,
        form={},
    )


def test_the_detail_of_the_same_approval_says_the_same() -> None:
    event = from_oa_event(xml.parse(OA_EVENT.encode()), CREATED)
    detail = from_oa_detail(OA_DETAIL)
    for name in ("kind", "sp_no", "status", "template_id", "template_name", "applicant", "submitted_at"):
        assert getattr(detail, name) == getattr(event, name), name
    assert detail.steps == event.steps
    assert detail.comments == event.comments
    assert detail.change_code is None
    assert detail.changed_at == ACTED, "the latest moment that the answer mentions"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (1, "pending"),
        (2, "approved"),
        (3, "rejected"),
        (4, "cancelled"),
        (6, "revoked"),
        (7, "deleted"),
        (10, "paid"),
        (5, None),
        (99, None),
    ],
)
def test_the_status_of_a_form(code: int, status: str | None) -> None:
    for approval in (
        oa_event(f"<SpNoStr>1</SpNoStr><SpStatus>{code}</SpStatus>"),
        from_oa_detail({"sp_no": "1", "sp_status": code}),
    ):
        assert (approval.status_code, approval.status) == (code, status)


@pytest.mark.parametrize(
    ("code", "status"), [(1, "pending"), (2, "approved"), (3, "rejected"), (4, "cancelled"), (6, None), (10, None)]
)
def test_the_status_of_an_engine_approval(code: int, status: str | None) -> None:
    for key in ("OpenSpStatus", "OpenSpstatus"):
        assert from_engine_data({"ThirdNo": "q", key: code}).status == status


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (1, "pending"),
        (2, "approved"),
        (3, "rejected"),
        (4, "transferred"),
        (11, "returned"),
        (12, "added"),
        (13, "approved"),
        (14, "handled"),
        (15, "handed_over"),
        (6, "unknown"),
        (77, "unknown"),
        ("", "unknown"),
    ],
)
def test_the_status_of_a_person(code: int | str, status: str) -> None:
    node = {"node_type": 1, "apv_rel": 1, "sub_node_list": [{"userid": "u", "sp_yj": code}]}
    (step,) = from_oa_detail({"sp_no": "1", "process_list": {"node_list": [node]}}).steps
    assert (step.status, step.code) == (status, code or 0)


@pytest.mark.parametrize(("apv_rel", "relation"), [(1, "all"), (2, "any"), (3, "in_turn"), (9, "all")])
def test_the_current_relation_of_several_approvers(apv_rel: int, relation: str) -> None:
    node = {"node_type": 1, "apv_rel": apv_rel, "sub_node_list": [{"userid": "u", "sp_yj": 1}]}
    (step,) = from_oa_detail({"sp_no": "1", "process_list": {"node_list": [node]}}).steps
    assert step.relation == relation


@pytest.mark.parametrize(("attr", "relation"), [(1, "any"), (2, "all")])
def test_the_legacy_and_engine_relation_counts_the_other_way_round(attr: int, relation: str) -> None:
    record = {"approverattr": attr, "details": [{"approver": {"userid": "u"}, "sp_status": 1}]}
    (legacy,) = from_oa_detail({"sp_no": "1", "sp_record": [record]}).steps
    node = {"NodeAttr": attr, "Items": {"Item": [{"ItemUserId": "u", "ItemStatus": 1}]}}
    (engine,) = from_engine_data({"ThirdNo": "q", "ApprovalNodes": {"ApprovalNode": [node]}}).steps
    assert legacy.relation == engine.relation == relation


@pytest.mark.parametrize("time_tag", ["SpTime", "Sptime"])
def test_a_form_without_process_list_is_read_from_its_legacy_records(time_tag: str) -> None:
    approval = oa_event(
        "<SpNo>5</SpNo><SpStatus>3</SpStatus>"
        "<SpRecord><ApproverAttr>2</ApproverAttr>"
        f"<Details><Approver><UserId>a</UserId></Approver><SpStatus>3</SpStatus><{time_tag}>1767229199</{time_tag}></Details>"
        f"<Details><Approver><UserId>b</UserId></Approver><SpStatus>1</SpStatus><{time_tag}>0</{time_tag}></Details>"
        "</SpRecord><Notifyer><UserId>c</UserId><UserId>d</UserId></Notifyer><Notifyer><UserId>e</UserId></Notifyer>"
        "<ProcessList></ProcessList>"
    )
    assert approval.sp_no == "5"
    assert approval.steps == (
        RemoteStep(0, "a", "rejected", 3, "", ACTED, "all", "approver"),
        RemoteStep(0, "b", "pending", 1, "", None, "all", "approver"),
        RemoteStep(1, "c", "", 0, "", None, "all", "cc"),
        RemoteStep(1, "d", "", 0, "", None, "all", "cc"),
        RemoteStep(1, "e", "", 0, "", None, "all", "cc"),
    )


def test_an_engine_event_is_read_in_full() -> None:
    assert from_engine_event(xml.parse(ENGINE_EVENT.encode()), CREATED) == RemoteApproval(
        kind="engine",
        sp_no="",
        third_no="CIS-20260101-0001",
        status_code=2,
        status="approved",
        template_id="Tpl1",
        template_name="Quote",
        applicant="li.mei",
        submitted_at=SUBMITTED,
        steps=ENGINE_STEPS,
        comments=(),
        change_code=None,
        changed_at=CREATED,
        form={},
    )


def test_the_engine_data_of_the_same_approval_says_the_same() -> None:
    data = from_engine_data(ENGINE_DATA)
    event = from_engine_event(xml.parse(ENGINE_EVENT.encode()), CREATED)
    assert data.changed_at == ACTED
    assert {name: getattr(data, name) for name in data.__slots__ if name != "changed_at"} == {
        name: getattr(event, name) for name in event.__slots__ if name != "changed_at"
    }


def test_engine_tags_are_matched_in_any_case() -> None:
    shouted = {key.upper(): value for key, value in ENGINE_DATA.items()}
    assert from_engine_data(shouted) == from_engine_data(ENGINE_DATA)


def test_a_single_engine_node_that_is_no_list_is_read_too() -> None:
    item = {"ItemUserid": "u", "ItemStatus": "1"}
    data = {"ThirdNo": "q", "ApprovalNodes": {"ApprovalNode": {"NodeAttr": "1", "Items": {"Item": item}}}}
    assert [step.userid for step in from_engine_data(data).steps] == ["u"]


def test_a_form_for_several_people_names_the_first_as_applicant() -> None:
    assert from_oa_detail({"sp_no": "1", "batch_applyer": [{"userid": "a"}, {"userid": "b"}]}).applicant == "a"


def test_the_form_is_read_as_plain_text_by_type() -> None:
    empty: dict[str, Any] = {
        "tips": [],
        "members": [],
        "departments": [],
        "files": [],
        "children": [],
        "stat_field": [],
    }
    contents = [
        {"control": "Text", "id": "Text-01", "value": {"text": "CIS-20260101-0001", **empty}},
        {"control": "Textarea", "id": "Textarea-02", "value": {"text": "a\nb", **empty}},
        {"control": "Number", "id": "Number-03", "value": {"new_number": "12.5", **empty}},
        {"control": "Money", "id": "Money-04", "value": {"new_money": "128000.00", **empty}},
        {"control": "Date", "id": "Date-05", "value": {"date": {"type": "day", "s_timestamp": "1767196800"}, **empty}},
        {"control": "Date", "id": "Date-06", "value": {"type": "day", "s_timestamp": "1767196800"}},
        {
            "control": "Selector",
            "id": "Selector-07",
            "value": {
                "selector": {"type": "multi", "options": [{"key": "option-1", "value": []}, {"key": "option-9"}]}
            },
        },
        {"control": "Contact", "id": "Contact-08", "value": {**empty, "members": [{"userid": "a"}, {"userid": "b"}]}},
        {"control": "Contact", "id": "Contact-09", "value": {**empty, "departments": [{"openapi_id": "7"}]}},
        {"control": "File", "id": "File-10", "value": {**empty, "files": [{"file_id": "m1"}]}},
        {"control": "DateRange", "id": "DateRange-11", "value": {"date_range": {"new_begin": 10, "new_end": 20}}},
        {"control": "RelatedApproval", "id": "Rel-12", "value": {"related_approval": [{"sp_no": "202601010001"}]}},
        {"control": "Table", "id": "Table-13", "value": {"children": [{"list": []}]}},
        {"control": "Hologram", "id": "Hologram-14", "value": {"x": 1}},
    ]
    assert from_oa_detail({"sp_no": "1", "apply_data": {"contents": contents}}).form == {
        "Text-01": "CIS-20260101-0001",
        "Textarea-02": "a\nb",
        "Number-03": "12.5",
        "Money-04": "128000.00",
        "Date-05": "1767196800",
        "Date-06": "1767196800",
        "Selector-07": "option-1,option-9",
        "Contact-08": "a,b",
        "Contact-09": "7",
        "File-10": "m1",
        "DateRange-11": "10,20",
        "Rel-12": "202601010001",
    }


@pytest.mark.parametrize(
    "contents", [None, "x", {}, [None], [{}], [{"control": "Text", "id": "a", "value": None}], [{"control": "Text"}]]
)
def test_a_broken_form_reads_as_empty(contents: object) -> None:
    assert from_oa_detail({"sp_no": "1", "apply_data": {"contents": contents}}).form == {}


@pytest.mark.parametrize(
    "document",
    [
        "<xml><Event>e</Event></xml>",
        "<xml><ApprovalInfo></ApprovalInfo></xml>",
        "<xml><ApprovalInfo>text</ApprovalInfo></xml>",
        "<xml><ApprovalInfo><SpStatus>2</SpStatus></ApprovalInfo></xml>",
    ],
)
def test_a_document_that_names_no_approval_is_refused(document: str) -> None:
    for read in (from_oa_event, from_engine_event):
        with pytest.raises(BadSnapshot):
            read(xml.parse(document.encode()), CREATED)


def test_an_answer_that_names_no_approval_is_refused() -> None:
    with pytest.raises(BadSnapshot):
        from_oa_detail({"sp_status": 2})
    with pytest.raises(BadSnapshot):
        from_engine_data({"OpenSpstatus": 2})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["process_list", "node_list", "sub_node_list", "userid", "sp_yj", "sptime", "details", "Item"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(fields=st.dictionaries(st.sampled_from([*OA_DETAIL, *ENGINE_DATA, "apply_data"]), JSON))
def test_no_answer_however_odd_crashes_the_reader(fields: dict[str, Any]) -> None:
    assert from_oa_detail({**fields, "sp_no": "1"}).sp_no == "1"
    assert from_engine_data({**fields, "ThirdNo": "q"}).third_no == "q"
