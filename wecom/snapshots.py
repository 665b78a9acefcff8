"""What WeCom says about one approval, in one shape, wherever it was said. Django-free.

Four sources, one dataclass, so that callbacks and polling share one door: the events of the OA app (doc 91815) and of
the engine (doc 90269), and the answers of getapprovaldetail (doc 91983) and getopenapprovaldata. Unknown numbers are
kept raw and never guessed; a document that does not say which approval it is about raises BadSnapshot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from wecom.crypto import gettext_noop
from wecom.form_values import plain_values
from wecom.reading import BadDocument, folded, latest, listed, moment, node_of, nodes_of, number_of, text_of

OA_STATUS = {
    1: "pending",
    2: "approved",
    3: "rejected",
    4: "cancelled",
    6: "revoked",
    7: "deleted",
    10: "paid",
}
"""``SpStatus`` of a whole OA form. StatuChangeEvent and the status of a node are different code sets."""
ENGINE_STATUS = {1: "pending", 2: "approved", 3: "rejected", 4: "cancelled"}
STEP_STATUS = {
    1: "pending",
    2: "approved",
    3: "rejected",
    4: "transferred",
    11: "returned",
    12: "added",
    13: "approved",  # agreed, and asked one more person
    14: "handled",
    15: "handed_over",
}
"""``SpYj`` of one person; the legacy records and the engine use the first four with the same meaning."""
UNKNOWN = "unknown"

Relation = Literal["all", "any", "in_turn"]
StepKind = Literal["approver", "cc", "handler"]
CURRENT_RELATION: Mapping[int, Relation] = {1: "all", 2: "any", 3: "in_turn"}
LEGACY_RELATION: Mapping[int, Relation] = {1: "any", 2: "all"}
"""approverattr and the engine's NodeAttr count the other way round than apv_rel."""
STEP_KIND: Mapping[int, StepKind] = {1: "approver", 2: "cc", 3: "handler"}


class BadSnapshot(BadDocument):
    """The document names no approval."""


@dataclass(frozen=True, slots=True)
class RemoteStep:
    """One person's place in the flow. Persons of one node share ``node``, counted from 0."""

    node: int
    userid: str
    status: str
    """A value of STEP_STATUS, ``unknown`` for a number that is not in it, ``""`` for a cc, who decides nothing."""
    code: int
    comment: str
    at: datetime | None
    relation: Relation
    kind: StepKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class RemoteComment:
    userid: str
    at: datetime | None
    text: str
    comment_id: str


@dataclass(frozen=True, slots=True)
class RemoteApproval:
    """The state of one approval at WeCom. Texts are ``""`` where the source does not say."""

    kind: Literal["oa", "engine"]
    sp_no: str
    third_no: str
    status_code: int
    status: str | None
    """``pending approved rejected cancelled revoked deleted paid``; None for a number nobody has documented."""
    template_id: str
    template_name: str
    applicant: str
    submitted_at: datetime | None
    steps: tuple[RemoteStep, ...]
    comments: tuple[RemoteComment, ...]
    change_code: int | None
    """``StatuChangeEvent`` of an OA event, else None."""
    changed_at: datetime | None
    """Of an event its own time; of an answer the latest moment it mentions, so not later than the true last change."""
    form: Mapping[str, str] = field(default_factory=dict)
    """Control id to plain text; only getapprovaldetail tells."""


def from_oa_event(doc: Mapping[str, Any], created: datetime) -> RemoteApproval:
    """``doc``: a parsed sys_approval_change; ``created``: its CreateTime. Raises BadSnapshot."""
    return _oa(_approval_info(doc), created, {})


def from_oa_detail(info: Mapping[str, Any]) -> RemoteApproval:
    """``info`` of a getapprovaldetail answer. Raises BadSnapshot."""
    # Control ids and values are somebody's data, so they are read before the keys are folded.
    apply_data = info.get("apply_data")
    contents = apply_data.get("contents") if isinstance(apply_data, dict) else None
    return _oa(folded(info), None, plain_values(contents if isinstance(contents, list) else []))


def from_engine_event(doc: Mapping[str, Any], created: datetime) -> RemoteApproval:
    """``doc``: a parsed open_approval_change; ``created``: its CreateTime. Raises BadSnapshot."""
    return _engine(_approval_info(doc), created)


def from_engine_data(data: Mapping[str, Any]) -> RemoteApproval:
    """``data`` of a getopenapprovaldata answer. Raises BadSnapshot."""
    return _engine(folded(data), None)


def _oa(info: Mapping[str, Any], created: datetime | None, form: Mapping[str, str]) -> RemoteApproval:
    """Event and detail differ in the spelling of their keys only, which folding evens out."""
    sp_no = text_of(info, "spnostr") or text_of(info, "spno")
    if not sp_no:
        raise BadSnapshot(gettext_noop("The approval number is missing."))
    status = number_of(info, "spstatus")
    # A form submitted for several people has batch_applyer instead, never both.
    applicant = node_of(info, "applyer") or next(iter(nodes_of(info, "batchapplyer")), {})
    submitted_at = moment(info, "applytime")
    steps, comments = tuple(_oa_steps(info)), tuple(_comments(info))
    return RemoteApproval(
        kind="oa",
        sp_no=sp_no,
        third_no="",
        status_code=status,
        status=OA_STATUS.get(status),
        template_id=text_of(info, "templateid"),
        template_name=text_of(info, "spname"),
        applicant=text_of(applicant, "userid"),
        submitted_at=submitted_at,
        steps=steps,
        comments=comments,
        change_code=number_of(info, "statuchangeevent") or None,
        changed_at=created or latest(submitted_at, *(step.at for step in steps), *(said.at for said in comments)),
        form=form,
    )


def _engine(info: Mapping[str, Any], created: datetime | None) -> RemoteApproval:
    third_no = text_of(info, "thirdno")
    if not third_no:
        raise BadSnapshot(gettext_noop("The approval's number of ours (ThirdNo) is missing."))
    status = number_of(info, "openspstatus")
    steps = tuple(_engine_steps(info))
    submitted_at = moment(info, "applytime")
    return RemoteApproval(
        kind="engine",
        sp_no="",
        third_no=third_no,
        status_code=status,
        status=ENGINE_STATUS.get(status),
        template_id=text_of(info, "opentemplateid"),
        template_name=text_of(info, "openspname"),
        applicant=text_of(info, "applyuserid"),
        submitted_at=submitted_at,
        steps=steps,
        comments=(),
        change_code=None,
        changed_at=created or latest(submitted_at, *(step.at for step in steps)),
    )


def _oa_steps(info: Mapping[str, Any]) -> Iterator[RemoteStep]:
    """The process list; forms from before it existed only have SpRecord and Notifyer (doc 91983)."""
    nodes = nodes_of(node_of(info, "processlist"), "nodelist")
    for index, node in enumerate(nodes):
        relation = CURRENT_RELATION.get(number_of(node, "apvrel"), "all")
        kind = STEP_KIND.get(number_of(node, "nodetype"), "approver")
        for person in nodes_of(node, "subnodelist"):
            userid = text_of(person, "userid") or text_of(node_of(person, "userinfo"), "userid")
            yield _step(index, userid, person, "spyj", relation=relation, kind=kind)
    if nodes:
        return
    records = nodes_of(info, "sprecord")
    for index, record in enumerate(records):
        relation = LEGACY_RELATION.get(number_of(record, "approverattr"), "all")
        for person in nodes_of(record, "details"):
            yield _step(
                index,
                text_of(node_of(person, "approver"), "userid"),
                person,
                "spstatus",
                relation=relation,
                kind="approver",
            )
    for notifyer in nodes_of(info, "notifyer"):
        for userid in listed(notifyer.get("userid")):  # UserId may repeat inside one Notifyer
            yield _step(len(records), str(userid), {}, "", relation="all", kind="cc")


def _engine_steps(info: Mapping[str, Any]) -> Iterator[RemoteStep]:
    nodes = nodes_of(node_of(info, "approvalnodes"), "approvalnode")
    for index, node in enumerate(nodes):
        relation = LEGACY_RELATION.get(number_of(node, "nodeattr"), "all")
        for person in nodes_of(node_of(node, "items"), "item"):
            yield _engine_step(index, person, relation, "approver")
    for person in nodes_of(node_of(info, "notifynodes"), "notifynode"):
        yield _engine_step(len(nodes), person, "all", "cc")


def _step(
    node: int, userid: str, person: Mapping[str, Any], status_key: str, *, relation: Relation, kind: StepKind
) -> RemoteStep:
    code = number_of(person, status_key)
    return RemoteStep(
        node=node,
        userid=userid,
        status="" if kind == "cc" else STEP_STATUS.get(code, UNKNOWN),
        code=code,
        comment=text_of(person, "speech"),
        at=moment(person, "sptime"),
        relation=relation,
        kind=kind,
    )


def _engine_step(node: int, person: Mapping[str, Any], relation: Relation, kind: StepKind) -> RemoteStep:
    code = number_of(person, "itemstatus")
    return RemoteStep(
        node=node,
        userid=text_of(person, "itemuserid"),
        status="" if kind == "cc" else STEP_STATUS.get(code, UNKNOWN),
        code=code,
        comment=text_of(person, "itemspeech"),
        at=moment(person, "itemoptime"),
        relation=relation,
        kind=kind,
        name=text_of(person, "itemname"),
    )


def _comments(info: Mapping[str, Any]) -> Iterator[RemoteComment]:
    for comment in nodes_of(info, "comments"):
        yield RemoteComment(
            userid=text_of(node_of(comment, "commentuserinfo"), "userid"),
            at=moment(comment, "commenttime"),
            text=text_of(comment, "commentcontent"),
            comment_id=text_of(comment, "commentid"),
        )


def _approval_info(doc: Mapping[str, Any]) -> Mapping[str, Any]:
    info = node_of(folded(doc), "approvalinfo")
    if not info:
        raise BadSnapshot(gettext_noop("The event has no ApprovalInfo."))
    return info
