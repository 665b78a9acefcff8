"""The inner XML of the two approval events, tag for tag as WeCom writes them (docs 91815, 90269)."""

from __future__ import annotations

from collections.abc import Iterable

from wecom.standin import flow
from wecom.standin.approvals import Approval
from wecom.standin.company import display_name, find_department, find_member

OA_EVENT = "sys_approval_change"
ENGINE_EVENT = "open_approval_change"
# Approval events come from the system's approval app, not from the app that submitted (doc 91815).
APPROVAL_APP = "3010040"

Content = str | int | Iterable["Tag"]
Tag = tuple[str, Content]


def element(name: str, content: Content) -> str:
    """One element: a number plain, a text as CDATA, anything else as nested elements."""
    if isinstance(content, int):
        inner = str(content)
    elif isinstance(content, str):
        inner = "<![CDATA[" + content.replace("]]>", "]]]]><![CDATA[>") + "]]>"
    else:
        inner = "".join(element(*child) for child in content)
    return f"<{name}>{inner}</{name}>"


def event_xml(name: str, corp_id: str, agent: str, created: int, info: Iterable[Tag]) -> str:
    common: list[Tag] = [
        ("ToUserName", corp_id),
        ("FromUserName", "sys"),
        ("CreateTime", created),
        ("MsgType", "event"),
        ("Event", name),
        ("AgentID", int(agent)),
        ("ApprovalInfo", info),
    ]
    return element("xml", common)


def oa_info(approval: Approval, change: int) -> list[Tag]:
    """``ApprovalInfo`` of ``sys_approval_change``; ``change`` is StatuChangeEvent."""
    return [
        ("SpNoStr", approval.number),
        ("SpNo", int(approval.number)),
        ("SpName", approval.name),
        ("SpStatus", approval.status),
        ("TemplateId", approval.template_id),
        ("ApplyTime", approval.applied_at),
        ("Applyer", [("UserId", approval.creator), ("Party", str(approval.department))]),
        *(("SpRecord", _record(node)) for node in approval.nodes if node["type"] == flow.APPROVER),
        *(
            ("Notifyer", [("UserId", person["userid"])])
            for node in approval.nodes
            if node["type"] == flow.COPY
            for person in node["people"]
        ),
        *(("Comments", _comment(comment)) for comment in approval.comments),
        ("ProcessList", [("NodeList", _node(node)) for node in approval.nodes]),
        ("StatuChangeEvent", change),
    ]


def _record(node: flow.Node) -> list[Tag]:
    # The legacy list counts the relation the other way round, and documents the codes 1 to 4 only.
    details: list[Tag] = [
        (
            "Details",
            [
                ("Approver", [("UserId", person["userid"])]),
                ("Speech", person["speech"]),
                ("SpStatus", legacy_status(person["status"])),
                ("SpTime", person["at"]),
            ],
        )
        for person in node["people"]
    ]
    return [("SpStatus", legacy_status(node["status"])), ("ApproverAttr", legacy_relation(node["rel"])), *details]


def _node(node: flow.Node) -> list[Tag]:
    if node["type"] == flow.COPY:
        return [
            ("NodeType", flow.COPY),
            *(("SubNodeList", [("UserInfo", [("UserId", person["userid"])])]) for person in node["people"]),
        ]
    people: list[Tag] = [
        (
            "SubNodeList",
            [
                ("UserInfo", [("UserId", person["userid"])]),
                ("Speech", person["speech"]),
                ("SpYj", person["status"]),
                ("Sptime", person["at"]),
            ],
        )
        for person in node["people"]
    ]
    return [("NodeType", node["type"]), ("SpStatus", node["status"]), ("ApvRel", node["rel"]), *people]


def _comment(comment: dict[str, str | int]) -> list[Tag]:
    return [
        ("CommentUserInfo", [("UserId", str(comment["userid"]))]),
        ("CommentTime", int(comment["at"])),
        ("CommentContent", str(comment["text"])),
        ("CommentId", str(comment["id"])),
    ]


def legacy_relation(relation: int) -> int:
    """1 any, 2 all: the reverse of ``apv_rel``."""
    return 1 if relation == flow.ANY else 2


def legacy_status(status: int) -> int:
    return flow.PENDING if status == flow.RETURNED else status


def engine_info(approval: Approval) -> list[Tag]:
    """``ApprovalInfo`` of ``open_approval_change``."""
    return [
        ("ThirdNo", approval.third_no),
        ("OpenSpName", approval.name),
        ("OpenTemplateId", approval.template_id),
        ("OpenSpStatus", approval.status),
        ("ApplyTime", approval.applied_at),
        ("ApplyUserName", display_name(approval.creator)),
        ("ApplyUserId", approval.creator),
        ("ApplyUserParty", party_name(approval.creator)),
        ("ApplyUserImage", ""),
        (
            "ApprovalNodes",
            [("ApprovalNode", _engine_node(node)) for node in approval.nodes if node["type"] != flow.COPY],
        ),
        (
            "NotifyNodes",
            [
                ("NotifyNode", _engine_person(person))
                for node in approval.nodes
                if node["type"] == flow.COPY
                for person in node["people"]
            ],
        ),
        ("ApproverStep", engine_step(approval)),
    ]


def _engine_node(node: flow.Node) -> list[Tag]:
    items: list[Tag] = [
        (
            "Item",
            [
                *_engine_person(person),
                ("ItemStatus", person["status"]),
                ("ItemSpeech", person["speech"]),
                ("ItemOpTime", person["at"]),
            ],
        )
        for person in node["people"]
    ]
    return [
        ("NodeStatus", node["status"]),
        ("NodeAttr", legacy_relation(node["rel"])),
        ("NodeType", 1),
        ("Items", items),
    ]


def _engine_person(person: flow.Person) -> list[Tag]:
    return [
        ("ItemName", display_name(person["userid"])),
        ("ItemUserid", person["userid"]),
        ("ItemParty", party_name(person["userid"])),
        ("ItemImage", ""),
    ]


def engine_step(approval: Approval) -> int:
    """The index of the current approver node, from 0; the last one once all have decided."""
    nodes = [node for node in approval.nodes if node["type"] != flow.COPY]
    done = sum(node["status"] in (flow.AGREED, flow.HANDLED) for node in nodes)
    return min(done, len(nodes) - 1)


def party_name(userid: str) -> str:
    member = find_member(userid)
    department = find_department(member.main_department) if member else None
    return department.name if department else ""
