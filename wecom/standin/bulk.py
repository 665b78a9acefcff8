"""Many approvals at once: made for benches and for the phone's first look, acted on as a bulk approval is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from config.standin.errors import ControlError
from wecom.standin import flow
from wecom.standin.acts import SUBMITTED, act, raise_event
from wecom.standin.approvals import APPROVED, OA, Approval
from wecom.standin.company import find_visible_member
from wecom.standin.form_template import EXPENSE_TEMPLATE_ID

if TYPE_CHECKING:
    from wecom.standin.world import World

DAY = 86400
SEED_EXPENSES = (
    ("chen.yu", "客户拜访差旅费", "1286.50", "苏州—上海高铁往返，住宿一晚"),
    ("liu.engineer", "现场服务交通费", "342.00", "宁波客户设备调试"),
    ("he.engineer", "样机快递费", "96.00", ""),
)


def add_many(world: World, request: Mapping[str, Any]) -> list[dict[str, str]]:
    """Adds ``count`` quotations, all in one transaction; returns their numbers.

    Reads ``third_nos`` (or ``count`` and ``third_no_prefix``), ``creator``, ``approvers`` (userids of one node),
    ``status`` pending or approved, ``submitted_days_ago``, ``spread_days`` (spreads the submissions over that
    many days before), ``events`` (raise the submission's event).
    """
    creator = find_visible_member(str(request.get("creator") or "li.mei"))
    if creator is None:
        raise ControlError(400, "creator is not a member")
    approvers = [str(userid) for userid in request.get("approvers") or ["wang.boss"]]
    if not all(find_visible_member(userid) for userid in approvers):
        raise ControlError(400, "approvers names somebody who is not a member")
    numbers = _numbers(request)
    newest = world.now() - int(request.get("submitted_days_ago") or 0) * DAY
    step = int(request.get("spread_days") or 0) * DAY / len(numbers)
    added = []
    with world.store.transaction():
        for place, third_no in enumerate(numbers):
            approval = _quotation(world, third_no, creator.userid, newest - int(place * step), approvers)
            if request.get("status") == "approved":
                _agree_all(approval, world.now())
            world.approvals.add(approval, world.clock())
            if request.get("events"):
                raise_event(world, approval, SUBMITTED)
            added.append({"sp_no": approval.number, "third_no": third_no})
    return added


def act_on_many(world: World, request: Mapping[str, Any]) -> dict[str, Any]:
    """Does one act on every approval of ``keys`` in one transaction, as a bulk approval in WeCom does."""
    failed: dict[str, str] = {}
    keys = [str(key) for key in request.get("keys") or []]
    with world.store.transaction():
        for key in keys:
            try:
                act(
                    world,
                    key,
                    str(request.get("action") or ""),
                    userid=str(request.get("userid") or ""),
                    speech=str(request.get("speech") or ""),
                    event=request.get("event"),
                )
            except ControlError as error:
                failed[key] = error.message
    return {"done": len(keys) - len(failed), "failed": failed}


def seed(world: World) -> None:
    """A few approvals of another form in an empty stand-in, so that the phone looks lived in."""
    if world.store.number("SELECT count(*) FROM approvals"):
        return
    template = world.templates[EXPENSE_TEMPLATE_ID]
    for place, (userid, reason, amount, remark) in enumerate(SEED_EXPENSES, 1):
        member = find_visible_member(userid)
        approval = Approval(
            kind=OA,
            third_no="",
            template_id=template.id,
            name=template.name,
            creator=userid,
            department=member.main_department if member else 1,
            applied_at=world.now() - place * 3 * 3600,
            nodes=template.nodes(),
            contents=[
                {"control": "Text", "id": "Text-01", "value": {"text": reason}},
                {"control": "Money", "id": "Money-02", "value": {"new_money": amount}},
                {"control": "Textarea", "id": "Textarea-03", "value": {"text": remark}},
            ],
            summary=[reason, amount],
            quiet=template.quiet,
        )
        with world.store.transaction():
            world.approvals.add(approval, world.clock())


def _numbers(request: Mapping[str, Any]) -> list[str]:
    given = request.get("third_nos")
    if given:
        return [str(number) for number in given]
    count, prefix = int(request.get("count") or 0), str(request.get("third_no_prefix") or "BULK")
    if count < 1:
        raise ControlError(400, "count or third_nos is required")
    return [f"{prefix}-{number:06d}" for number in range(1, count + 1)]


def _quotation(world: World, third_no: str, creator: str, applied_at: int, approvers: list[str]) -> Approval:
    template = world.templates[world.options.template_id]
    member = find_visible_member(creator)
    return Approval(
        kind=OA,
        third_no=third_no,
        template_id=template.id,
        name=template.name,
        creator=creator,
        department=member.main_department if member else 1,
        applied_at=applied_at,
        nodes=[flow.new_node(flow.APPROVER, flow.ALL, approvers)],
        contents=[
            {"control": "Text", "id": "Text-01", "value": {"text": third_no}},
            {"control": "Text", "id": "Text-03", "value": {"text": "批量客户"}},
            {"control": "Money", "id": "Money-04", "value": {"new_money": "1000.00"}},
        ],
        summary=[third_no, "1000.00"],
    )


def _agree_all(approval: Approval, at: int) -> None:
    for userid in [person["userid"] for node in approval.nodes for person in node["people"]]:
        flow.agree(approval.nodes, userid, "", at)
    approval.status = APPROVED
