"""An approval in words: for the phone page and for the JSON of the test interface."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wecom.standin import flow
from wecom.standin.approvals import CHINA, STATUS_WORDS, Approval
from wecom.standin.form_template import Control, FormTemplate

NODE_KINDS = {flow.APPROVER: "approver", flow.COPY: "cc", flow.HANDLER: "handler"}
RELATIONS = {flow.ALL: "all", flow.ANY: "any", flow.IN_TURN: "in_turn"}


@dataclass(frozen=True, slots=True)
class FormLine:
    """One control with its value; a table has ``rows`` of (title, text) pairs instead of a text."""

    control_id: str
    title: str
    text: str = ""
    rows: list[list[tuple[str, str]]] = field(default_factory=list)


def form_lines(approval: Approval, template: FormTemplate | None) -> list[FormLine]:
    if template is None:
        return []
    given = {content["id"]: content["value"] for content in approval.contents}
    lines = []
    for control in template.controls:
        control_id = control["property"]["id"]
        if control_id not in given:
            continue
        title = title_of(control)
        if control["property"]["control"] == "Table":
            lines.append(FormLine(control_id, title, rows=_table_rows(control, given[control_id])))
        else:
            lines.append(FormLine(control_id, title, value_text(control, given[control_id])))
    return lines


def title_of(control: Control) -> str:
    return str(control["property"]["title"][0]["text"])


def value_text(control: Control, value: dict[str, Any]) -> str:
    kind = control["property"]["control"]
    if kind in ("Money", "Number"):
        return str(value.get(f"new_{kind.lower()}") or "")
    if kind == "Date":
        stamp = (value.get("date") or {}).get("s_timestamp")
        return datetime.fromtimestamp(int(stamp), CHINA).strftime("%Y-%m-%d") if stamp else ""
    if kind == "Selector":
        keys = [option["key"] for option in (value.get("selector") or {}).get("options", [])]
        options = control["config"]["selector"]["options"]
        return ", ".join(option["value"][0]["text"] for option in options if option["key"] in keys)
    return str(value.get("text") or "")


def _table_rows(control: Control, value: dict[str, Any]) -> list[list[tuple[str, str]]]:
    rows = []
    for row in value.get("children") or []:
        cells = {cell["id"]: cell["value"] for cell in row["list"]}
        rows.append(
            [
                (title_of(child), value_text(child, cells[child["property"]["id"]]))
                for child in control["config"]["table"]["children"]
            ]
        )
    return rows


def as_json(approval: Approval, template: FormTemplate | None) -> dict[str, Any]:
    """``form``: control id to text, a table to a list of {title: text}."""
    return {
        "kind": approval.kind,
        "sp_no": approval.sp_no,
        "third_no": approval.third_no,
        "template_id": approval.template_id,
        "status": STATUS_WORDS.get(approval.status, "unknown"),
        "status_code": approval.status,
        "applicant": approval.creator,
        "submitted_at": approval.applied_at,
        "waiting_for": approval.waiting_for,
        "summary": approval.summary,
        "nodes": [_node_json(node) for node in approval.nodes],
        "comments": approval.comments,
        "form": {
            line.control_id: [dict(row) for row in line.rows] if line.rows else line.text
            for line in form_lines(approval, template)
        },
    }


def _node_json(node: flow.Node) -> dict[str, Any]:
    return {
        "kind": NODE_KINDS[node["type"]],
        "relation": RELATIONS[node["rel"]],
        "status_code": node["status"],
        "people": [
            {
                "userid": person["userid"],
                "status_code": person["status"],
                "speech": person["speech"],
                "at": person["at"],
            }
            for person in node["people"]
        ],
    }
