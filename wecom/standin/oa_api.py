"""The calls on OA approvals: read a template, submit, read one (docs 91982, 91853, 91983)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wecom.standin import flow
from wecom.standin.acts import SUBMITTED, raise_event
from wecom.standin.approvals import OA, Approval, form_texts
from wecom.standin.call import Call
from wecom.standin.company import Member, find_visible_member
from wecom.standin.errors import ApiError, invalid_form
from wecom.standin.form_check import check_contents
from wecom.standin.form_template import FormTemplate
from wecom.standin.oa_detail import detail

if TYPE_CHECKING:
    from wecom.standin.world import World

EVENT_WAIT_SECONDS = 6.0
LONGEST_SUMMARY = 20
MOST_SUMMARY_LINES = 3


def gettemplatedetail(world: World, call: Call) -> dict[str, Any]:
    return _template(world, call).detail()


def applyevent(world: World, call: Call) -> dict[str, Any]:
    """Submits a form. The event follows the answer, or with the fault switch overtakes it."""
    creator = find_visible_member(call.text("creator_userid"))
    if creator is None:
        raise ApiError(301055, "no approval permission or applicant not in the visible scope")
    template = _template(world, call)
    department = _department(call, creator)
    nodes = _nodes(call, template)
    contents = check_contents(template, call.mapping("apply_data").get("contents"))
    approval = Approval(
        kind=OA,
        third_no="",
        template_id=template.id,
        name=template.name,
        creator=creator.userid,
        department=department,
        applied_at=world.now(),
        nodes=nodes,
        contents=contents,
        summary=_summary(call),
        quiet=template.quiet,
    )
    approval.third_no = next(iter(form_texts(approval)), "")
    overtaking = world.faults.use("event_before_response", call.endpoint)
    with world.store.transaction():
        world.approvals.add(approval, world.clock())
        events = raise_event(world, approval, SUBMITTED, waiting=not overtaking)
    if overtaking:
        world.events.wait_delivered(events, EVENT_WAIT_SECONDS)
    call.after_answer.extend(events)
    return {"sp_no": approval.sp_no}


def getapprovaldetail(world: World, call: Call) -> dict[str, Any]:
    approval = world.approvals.by_sp_no(call.text("sp_no"))
    if approval is None:
        raise invalid_form("sp_no")
    return {"info": detail(approval, world.templates.get(approval.template_id))}


def _template(world: World, call: Call) -> FormTemplate:
    template = world.templates.get(call.text("template_id"))
    if template is None:
        raise invalid_form("template_id")
    return template


def _department(call: Call, creator: Member) -> int:
    chosen = call.integer("choose_department")
    if chosen is None:
        return creator.main_department
    if chosen not in creator.departments:
        raise invalid_form("choose_department is not a department of the applicant")
    return chosen


def _nodes(call: Call, template: FormTemplate) -> list[flow.Node]:
    by_template = call.integer("use_template_approver")
    if by_template == 1:
        return template.nodes()
    if by_template != 0:
        raise invalid_form("use_template_approver must be 0 or 1")
    given = call.mapping("process").get("node_list")
    if not isinstance(given, list) or not given:
        raise invalid_form("process.node_list is empty")
    nodes = [_node(number, node) for number, node in enumerate(given)]
    if not any(node["type"] != flow.COPY for node in nodes):
        raise invalid_form("process.node_list has no approver")
    return nodes


def _node(number: int, given: Any) -> flow.Node:
    place = f"process.node_list[{number}]"
    if not isinstance(given, dict):
        raise invalid_form(f"{place} is not an object")
    kind, userids = given.get("type"), given.get("userid")
    if kind not in (flow.APPROVER, flow.COPY, flow.HANDLER):
        raise invalid_form(f"{place}.type must be 1, 2 or 3")
    relation = flow.ALL if kind == flow.COPY else given.get("apv_rel")
    if not isinstance(relation, int) or relation not in (flow.ALL, flow.ANY, flow.IN_TURN):
        raise invalid_form(f"{place}.apv_rel must be 1, 2 or 3")
    if not isinstance(userids, list) or not userids:
        raise invalid_form(f"{place}.userid is empty")
    members = [find_visible_member(userid) if isinstance(userid, str) else None for userid in userids]
    if not all(members):
        raise invalid_form(f"{place}.userid names somebody who is not a member in scope")
    return flow.new_node(kind, relation, [member.userid for member in members if member])


def _summary(call: Call) -> list[str]:
    lines = call.items("summary_list")
    if not 1 <= len(lines) <= MOST_SUMMARY_LINES:
        raise invalid_form(f"summary_list must have 1 to {MOST_SUMMARY_LINES} lines")
    return [_summary_line(number, line) for number, line in enumerate(lines)]


def _summary_line(number: int, line: Any) -> str:
    place = f"summary_list[{number}]"
    texts = line.get("summary_info") if isinstance(line, dict) else None
    if not isinstance(texts, list) or not texts:
        raise invalid_form(f"{place}.summary_info is empty")
    for entry in texts:
        if not isinstance(entry, dict) or not isinstance(entry.get("text"), str) or not entry["text"]:
            raise invalid_form(f"{place} has no text")
        if entry.get("lang") not in ("zh_CN", "en"):
            raise invalid_form(f"{place}.lang must be zh_CN or en")
        if len(entry["text"]) > LONGEST_SUMMARY:
            raise invalid_form(f"{place}.text is longer than {LONGEST_SUMMARY} characters")
    return str(texts[0]["text"])
