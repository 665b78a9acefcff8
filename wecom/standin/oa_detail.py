"""``getapprovaldetail``'s answer, quirks included (doc 91983): value objects carry unrelated empty keys."""

from __future__ import annotations

from typing import Any

from wecom.standin import flow
from wecom.standin.approvals import Approval
from wecom.standin.form_template import Control, FormTemplate
from wecom.standin.xml_events import legacy_relation


def detail(approval: Approval, template: FormTemplate | None) -> dict[str, Any]:
    controls = template.controls if template else ()
    return {
        "sp_no": approval.sp_no,
        "sp_name": approval.name,
        "sp_status": approval.status,
        "template_id": approval.template_id,
        "apply_time": approval.applied_at,
        "applyer": {"userid": approval.creator, "partyid": str(approval.department)},
        "sp_record": [_record(node) for node in approval.nodes if node["type"] == flow.APPROVER],
        "notifyer": [
            {"userid": person["userid"]}
            for node in approval.nodes
            if node["type"] == flow.COPY
            for person in node["people"]
        ],
        "apply_data": {"contents": contents(approval.contents, controls)},
        "comments": [_comment(comment) for comment in approval.comments],
        "process_list": {"node_list": [_node(node) for node in approval.nodes]},
    }


def contents(given: list[dict[str, Any]], controls: tuple[Control, ...] | list[Control]) -> list[dict[str, Any]]:
    """The submitted values in the template's order, with titles, option texts and WeCom's empty extra keys."""
    by_id = {content["id"]: content for content in given}
    return [_content(control, by_id[control["property"]["id"]]) for control in controls if _is_given(control, by_id)]


def _is_given(control: Control, by_id: dict[str, Any]) -> bool:
    return control["property"]["id"] in by_id


def _content(control: Control, content: dict[str, Any]) -> dict[str, Any]:
    kind = control["property"]["control"]
    value: dict[str, Any] = {
        "tips": [],
        "members": [],
        "departments": [],
        "files": [],
        "children": [],
        "stat_field": [],
    }
    value |= content["value"]
    if kind == "Selector":
        value["selector"] = _chosen(control, content["value"].get("selector", {}))
    elif kind == "Table":
        children = control["config"]["table"]["children"]
        value["children"] = [{"list": contents(row["list"], children)} for row in value["children"]]
    return {
        "control": kind,
        "id": control["property"]["id"],
        "title": control["property"]["title"],
        "value": value,
        "hidden": 0,
    }


def _chosen(control: Control, selector: dict[str, Any]) -> dict[str, Any]:
    config = control["config"]["selector"]
    keys = [option["key"] for option in selector.get("options", [])]
    options = [option for option in config["options"] if option["key"] in keys]
    return {"type": config["type"], "exp_type": config["exp_type"], "options": options}


def _record(node: flow.Node) -> dict[str, Any]:
    return {
        "sp_status": node["status"],
        "approverattr": legacy_relation(node["rel"]),
        "details": [
            {
                "approver": {"userid": person["userid"]},
                "speech": person["speech"],
                "sp_status": person["status"],
                "sptime": person["at"],
                "media_id": [],
            }
            for person in node["people"]
        ],
    }


def _node(node: flow.Node) -> dict[str, Any]:
    if node["type"] == flow.COPY:
        return {"node_type": flow.COPY, "sub_node_list": [{"userid": person["userid"]} for person in node["people"]]}
    return {
        "node_type": node["type"],
        "sp_status": node["status"],
        "apv_rel": node["rel"],
        "sub_node_list": [
            {
                "userid": person["userid"],
                "speech": person["speech"],
                "sp_yj": person["status"],
                "sptime": person["at"],
                "media_ids": [],
            }
            for person in node["people"]
        ],
    }


def _comment(comment: dict[str, Any]) -> dict[str, Any]:
    return {
        "commentUserInfo": {"userid": comment["userid"]},
        "commenttime": comment["at"],
        "commentcontent": comment["text"],
        "commentid": comment["id"],
        "media_id": [],
    }
