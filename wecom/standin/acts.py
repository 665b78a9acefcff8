"""What people do with an approval in WeCom, none of which has an API there: the stand-in's test hooks.

Each act changes the approval and raises the event WeCom would raise. Deleting and paying raise none by
default: no change event is documented for them, only polling sees them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.standin.errors import ControlError
from wecom.standin import approvals as states
from wecom.standin import flow
from wecom.standin.approvals import Approval
from wecom.standin.company import find_visible_member
from wecom.standin.xml_events import APPROVAL_APP, ENGINE_EVENT, OA_EVENT, engine_info, event_xml, oa_info

if TYPE_CHECKING:
    from wecom.standin.world import World

SUBMITTED = 1  # StatuChangeEvent (doc 91815)


@dataclass(frozen=True, slots=True)
class Act:
    """``at`` in Unix seconds; ``to``: the member a transfer or a return goes to."""

    userid: str
    speech: str
    to: str
    at: int


@dataclass(frozen=True, slots=True)
class Verb:
    """``change`` is the StatuChangeEvent of the OA event, None where WeCom raises none."""

    apply: Callable[[Approval, Act], None]
    change: int | None
    by_applicant: bool = False
    engine: bool = False


def _need(approval: Approval, *allowed: int) -> None:
    if approval.status not in allowed:
        raise ControlError(409, f"approval {approval.number} is in status {approval.status}; this cannot be done now")


def _agree(approval: Approval, act: Act) -> None:
    _need(approval, states.PENDING)
    if flow.agree(approval.nodes, act.userid, act.speech, act.at):
        approval.status = states.APPROVED


def _reject(approval: Approval, act: Act) -> None:
    _need(approval, states.PENDING)
    flow.reject(approval.nodes, act.userid, act.speech, act.at)
    approval.status = states.REJECTED


def _transfer(approval: Approval, act: Act) -> None:
    _need(approval, states.PENDING)
    if not find_visible_member(act.to):
        raise ControlError(400, f"to: there is no member {act.to!r}")
    flow.transfer(approval.nodes, act.userid, act.to, act.speech, act.at)


def _return(approval: Approval, act: Act) -> None:
    _need(approval, states.PENDING)
    flow.send_back(approval.nodes, act.userid, act.to, act.speech, act.at)


def _comment(approval: Approval, act: Act) -> None:
    number = f"{approval.id}{len(approval.comments) + 1:03d}"
    approval.comments.append({"userid": act.userid, "at": act.at, "text": act.speech, "id": number})


def _urge(approval: Approval, act: Act) -> None:
    _need(approval, states.PENDING)


def _move(status: int, *allowed: int) -> Callable[[Approval, Act], None]:
    def apply(approval: Approval, act: Act) -> None:
        _need(approval, *allowed)
        approval.status = status

    return apply


VERBS: dict[str, Verb] = {
    "agree": Verb(_agree, 2, engine=True),
    "reject": Verb(_reject, 3, engine=True),
    "transfer": Verb(_transfer, 4, engine=True),
    "urge": Verb(_urge, 5, by_applicant=True),
    "withdraw": Verb(_move(states.WITHDRAWN, states.PENDING), 6, by_applicant=True, engine=True),
    "revoke": Verb(_move(states.REVOKED, states.APPROVED), 8, by_applicant=True),
    "comment": Verb(_comment, 10),
    "return": Verb(_return, 11),
    "delete": Verb(_move(states.DELETED, *(set(states.STATUS_WORDS) - {states.DELETED})), None),
    "pay": Verb(_move(states.PAID, states.APPROVED), None),
}


def act(
    world: World,
    key: str,
    action: str,
    *,
    userid: str = "",
    speech: str = "",
    to: str = "",
    event: bool | None = None,
) -> Approval:
    """Does ``action`` as ``userid`` (default: whoever's turn it is, else the applicant) and raises its event.

    ``key``: see ``Approvals.find``. ``event`` forces the event on or off. Raises ControlError 400, 403 (not that
    person's turn), 404 (no such approval) or 409 (wrong state).
    """
    verb = VERBS.get(action)
    if verb is None:
        raise ControlError(400, f"unknown action {action!r}; known are {', '.join(VERBS)}")
    with world.store.transaction():
        approval = world.approvals.find(key)
        if approval is None:
            raise ControlError(404, f"there is no approval {key!r}")
        verb.apply(approval, Act(_actor(approval, verb, action, userid), speech, to, world.now()))
        world.approvals.save(approval, world.clock())
        if event if event is not None else verb.change is not None:
            raise_event(world, approval, verb.change or SUBMITTED)
    return approval


def raise_event(world: World, approval: Approval, change: int, *, waiting: bool = False) -> list[int]:
    """Queues the event that tells the product about ``approval``; none for a quiet template."""
    if approval.quiet:
        return []
    options = world.options
    if approval.kind == states.ENGINE:
        name, agent, info = ENGINE_EVENT, str(options.agent_id), engine_info(approval)
    else:
        name, agent, info = OA_EVENT, APPROVAL_APP, oa_info(approval, change)
    body = event_xml(name, options.corp_id, agent, world.now(), info)
    return world.events.emit(name, approval.number, agent, body, waiting=waiting)


def _actor(approval: Approval, verb: Verb, action: str, userid: str) -> str:
    if approval.kind == states.ENGINE and not verb.engine:
        raise ControlError(409, f"{action} does not exist in the approval engine")
    if not userid:
        waiting = approval.waiting_for
        return approval.creator if verb.by_applicant or not waiting else waiting[0]
    if verb.by_applicant and userid.casefold() != approval.creator.casefold():
        raise ControlError(403, f"only the applicant {approval.creator} may do this")
    return userid
