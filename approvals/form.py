"""The form of one submission: the body of ``oa/applyevent`` (doc 91853), built from what was sealed.

Never from the live quote: what the approver sees is what the seal covers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from approvals import mapping as mappings
from approvals import quotes, revisions
from approvals.chain import read
from approvals.form_values import value_of
from approvals.models import ApprovalInstance, Relation
from approvals.money import total_of
from approvals.problems import SubmissionProblem
from approvals.revisions import Change, item_line
from wecom.oa import Control, TemplateDetail

LONGEST_SUMMARY = 20
"""Characters of one of the (at most three) lines that a list in WeCom shows."""
APPROVER = 1
SIGNING = {Relation.ALL: 1, Relation.ANY: 2, Relation.IN_TURN: 3}
"""``apv_rel`` of the current API; the old ``attr`` counts the other way round."""


def build(instance: ApprovalInstance, detail: TemplateDetail, mapping: Mapping[str, str]) -> dict[str, Any]:
    """The request body. Raises SubmissionProblem when the mapping or a value is missing."""
    with translation.override(settings.LANGUAGE_CODE):
        _require_mapping(mapping, detail)
        return {
            "creator_userid": instance.applicant_userid,
            "template_id": instance.template.template_id if instance.template else "",
            **_process(instance),
            "apply_data": {"contents": _contents(instance, detail, mapping)},
            "summary_list": _summary(instance),
        }


def _require_mapping(mapping: Mapping[str, str], detail: TemplateDetail) -> None:
    wrong = mappings.problems(mapping, detail)
    if wrong:
        code = "mapping_wrong" if mapping.get("third_no") else "mapping_missing"
        raise SubmissionProblem(code, " ".join([*wrong, _("Correct the mapping of the approval template.")]))


def _process(instance: ApprovalInstance) -> dict[str, Any]:
    nodes = [
        {"type": APPROVER, "apv_rel": SIGNING[Relation(node.relation)], "userid": list(node.userids)}
        for node in read(instance.chain)
    ]
    if not nodes:
        return {"use_template_approver": 1}
    return {"use_template_approver": 0, "process": {"node_list": nodes}}


def _summary(instance: ApprovalInstance) -> list[dict[str, Any]]:
    content = instance.snapshot
    lines = (instance.third_no, content["customer_name"], total_of(content))
    return [
        {"summary_info": [{"text": " ".join(line.split())[:LONGEST_SUMMARY], "lang": "zh_CN"}]}
        for line in lines
        if line.strip()
    ]


def _contents(instance: ApprovalInstance, detail: TemplateDetail, mapping: Mapping[str, str]) -> list[dict[str, Any]]:
    texts = _texts(instance)
    field_of = {control_id: name for name, control_id in mapping.items() if not name.startswith("items.")}
    contents = []
    for control in detail.controls:
        field = field_of.get(control.id)
        if field is None:
            continue
        if field == "items" and control.type == "Table":
            contents.append(_content(control, _table(control, instance.snapshot["items"], mapping)))
            continue
        text = texts[field]
        if control.required and not text.strip():
            raise _value_missing(control)
        if text:
            contents.append(_content(control, value_of(control, text)))
    return contents


def _content(control: Control, value: dict[str, Any]) -> dict[str, Any]:
    return {"control": control.type, "id": control.id, "value": value}


def _table(control: Control, items: list[dict[str, str]], mapping: Mapping[str, str]) -> dict[str, Any]:
    """One row per item, each with all of the template's columns, blank ones too."""
    field_of = {
        control_id: name.removeprefix("items.") for name, control_id in mapping.items() if name.startswith("items.")
    }
    rows = []
    for item in items:
        cells = []
        for column in control.children:
            text = item[field_of[column.id]] if column.id in field_of else ""
            if column.required and not text.strip():
                raise _value_missing(column)
            cells.append(_content(column, value_of(column, text)))
        rows.append({"list": cells})
    return {"children": rows}


def _value_missing(control: Control) -> SubmissionProblem:
    return SubmissionProblem(
        "value_missing",
        _("The WeCom template requires “%(title)s”, but the quote says nothing there. Fill it in, or make it optional.")
        % {"title": control.title},
    )


def _texts(instance: ApprovalInstance) -> dict[str, str]:
    """Every field of the form as text."""
    content = instance.snapshot
    return {
        **{name: str(content[name]) for name in (*quotes.CONTENT_FIELDS, "quote_number", "total")},
        "third_no": instance.third_no,
        "items": "\n".join(f"{number}. {item_line(item)}" for number, item in enumerate(content["items"], start=1)),
        "difference": difference(instance),
        "link": settings.API_BASE_URL + reverse("admin:approvals_quote_change", args=[instance.quote_id]),
    }


def difference(instance: ApprovalInstance) -> str:
    """What changed since the last revision that was submitted, one line per change."""
    earlier = revisions.submitted_before(instance.quote_id, instance.revision)
    if earlier is None:
        return revisions.change_of_total(instance.snapshot, None)
    changes = revisions.changes(instance.snapshot, earlier)
    if not changes:
        return _("Nothing changed since revision %(revision)d.") % {"revision": earlier["revision"]}
    heading = _("Compared with revision %(revision)d:") % {"revision": earlier["revision"]}
    return "\n".join([heading, *map(_change_line, changes)])


def _change_line(change: Change) -> str:
    values = {"field": change.label, "old": change.old or "–", "new": change.new or "–"}
    return _("%(field)s: %(old)s → %(new)s") % values
