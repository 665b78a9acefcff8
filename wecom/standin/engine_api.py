"""The approval engine: the page that starts a form, and ``getopenapprovaldata`` (doc 90269).

The real one is started by the JS-SDK inside the WeCom client; ``start`` stands for that page. The JSON spells
some keys unlike the event does, as in WeCom's own example.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from config.standin.errors import ControlError
from wecom.standin import flow
from wecom.standin.acts import SUBMITTED, raise_event
from wecom.standin.approvals import ENGINE, Approval
from wecom.standin.call import Call
from wecom.standin.company import display_name, find_visible_member
from wecom.standin.errors import invalid_form
from wecom.standin.xml_events import engine_step, legacy_relation, party_name

if TYPE_CHECKING:
    from wecom.standin.world import World


def start(world: World, request: Mapping[str, Any]) -> Approval:
    """Starts an approval as ``userid``. ``approvers``: userids, one node each, or ``{"userids", "relation"}``.

    Raises ControlError 400, or 409 for a ``third_no`` that was used before (the client's message 10001).
    """
    third_no = str(request.get("third_no") or "")
    creator = find_visible_member(str(request.get("userid") or ""))
    approvers = request.get("approvers")
    if not third_no or creator is None or not isinstance(approvers, list) or not approvers:
        raise ControlError(400, "third_no, userid (a member) and approvers (a list) are required")
    copies = [_userid(userid) for userid in request.get("notify") or []]
    nodes = [_node(approver) for approver in approvers]
    approval = Approval(
        kind=ENGINE,
        third_no=third_no,
        template_id=str(request.get("template_id") or world.options.template_id),
        name="报价审批",
        creator=creator.userid,
        department=creator.main_department,
        applied_at=world.now(),
        nodes=[*nodes, flow.new_node(flow.COPY, flow.ALL, copies)] if copies else nodes,
        summary=[third_no],
    )
    with world.store.transaction():
        if world.approvals.by_engine_number(third_no):
            raise ControlError(409, f"third_no {third_no} is already taken (10001)")
        world.approvals.add(approval, world.clock())
        raise_event(world, approval, SUBMITTED)
    return approval


def _node(approver: Any) -> flow.Node:
    if isinstance(approver, str):
        return flow.new_node(flow.APPROVER, flow.ALL, [_userid(approver)])
    userids = approver.get("userids") if isinstance(approver, dict) else None
    if not isinstance(userids, list) or not userids:
        raise ControlError(400, "an approver is a userid, or an object with userids and relation")
    relation = flow.ANY if approver.get("relation") == "any" else flow.ALL
    return flow.new_node(flow.APPROVER, relation, [_userid(userid) for userid in userids])


def _userid(userid: Any) -> str:
    member = find_visible_member(userid) if isinstance(userid, str) else None
    if member is None:
        raise ControlError(400, f"there is no member {userid!r}")
    return member.userid


def getopenapprovaldata(world: World, call: Call) -> dict[str, Any]:
    approval = world.approvals.by_engine_number(call.text("thirdNo"))
    if approval is None:
        raise invalid_form("thirdNo")
    approvers = [node for node in approval.nodes if node["type"] != flow.COPY]
    copies = [person for node in approval.nodes if node["type"] == flow.COPY for person in node["people"]]
    return {
        "data": {
            "ThirdNo": approval.third_no,
            "OpenTemplateId": approval.template_id,
            "OpenSpName": approval.name,
            "OpenSpstatus": approval.status,
            "ApplyTime": approval.applied_at,
            "ApplyUsername": display_name(approval.creator),
            "ApplyUserParty": party_name(approval.creator),
            "ApplyUserImage": "",
            "ApplyUserId": approval.creator,
            "ApprovalNodes": {"ApprovalNode": [_node_data(node) for node in approvers]},
            "NotifyNodes": {"NotifyNode": [_person_data(person) for person in copies]},
            "ApproverStep": engine_step(approval),
        }
    }


def _node_data(node: flow.Node) -> dict[str, Any]:
    items = [
        _person_data(person)
        | {"ItemStatus": person["status"], "ItemSpeech": person["speech"], "ItemOpTime": person["at"]}
        for person in node["people"]
    ]
    return {
        "NodeStatus": node["status"],
        "NodeAttr": legacy_relation(node["rel"]),
        "NodeType": 1,
        "Items": {"Item": items},
    }


def _person_data(person: flow.Person) -> dict[str, Any]:
    return {
        "ItemName": display_name(person["userid"]),
        "ItemParty": party_name(person["userid"]),
        "ItemImage": "",
        "ItemUserId": person["userid"],
    }
