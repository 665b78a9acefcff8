"""``/standin/api``: what tests, benches and ``simulate-approval`` drive the stand-in with. Not part of WeCom.

JSON in, JSON out; an error is ``{"error": "sentence"}`` with its HTTP status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.standin.control import MOST_ROWS, Control, number, row_limit
from config.standin.errors import ControlError
from config.standin.web import Request
from wecom.standin import bulk, card_control, contact_control, engine_api, tokens
from wecom.standin.acts import act
from wecom.standin.approvals import STATUS_WORDS, Approval
from wecom.standin.messages import messages_of
from wecom.standin.presentation import as_json

if TYPE_CHECKING:
    from wecom.standin.world import World


def list_approvals(world: World, request: Request) -> Any:
    query = request.query
    person = (query["waiting_for"], "todo") if query.get("waiting_for") else None
    found = world.approvals.search(
        status=_status(query.get("status", "")),
        third_no=query.get("third_no", ""),
        creator=query.get("applicant", ""),
        person=person,
        limit=row_limit(request, 100),
    )
    return {"approvals": [_approval(world, approval) for approval in found]}


def read_approval(world: World, request: Request, key: str) -> Any:
    approval = world.approvals.find(key)
    if approval is None:
        raise ControlError(404, f"there is no approval {key!r}")
    return _approval(world, approval)


def act_on_approval(world: World, request: Request, key: str) -> Any:
    body = request.json()
    event = body.get("event")
    if event is not None and not isinstance(event, bool):
        raise ControlError(400, "event must be true or false")
    approval = act(
        world,
        key,
        str(body.get("action") or ""),
        userid=str(body.get("userid") or ""),
        speech=str(body.get("speech") or ""),
        to=str(body.get("to") or ""),
        event=event,
    )
    return _approval(world, approval)


def start_engine(world: World, request: Request) -> Any:
    return _approval(world, engine_api.start(world, request.json()))


def list_messages(world: World, request: Request) -> Any:
    return {"messages": messages_of(world, request.query.get("userid", ""), limit=MOST_ROWS)}


def list_events(world: World, request: Request) -> Any:
    query = request.query
    found = world.events.latest(
        subject=query.get("subject", ""), state=query.get("state", ""), limit=row_limit(request, 50)
    )
    return {"events": found}


def release_events(world: World, request: Request) -> Any:
    body = request.json()
    released = world.events.release(str(body.get("order") or "same"), same_second=bool(body.get("same_second")))
    return {"released": released}


def resend_event(world: World, request: Request) -> Any:
    return {"id": world.events.resend(number(request.json().get("id"), "id"))}


def end_tokens(world: World, request: Request) -> Any:
    state = request.json().get("state", "invalid")
    if state not in ("invalid", "expired"):
        raise ControlError(400, "state must be invalid (40014) or expired (42001)")
    return {"ended": tokens.end_tokens(world, state)}


def verify_callback(world: World, request: Request) -> Any:
    return world.sender.verify(str(request.json().get("url") or ""))


def read_settings(world: World, request: Request) -> Any:
    return {
        "callback_url": world.sender.callback_url,
        "calls_per_minute": world.limits.approval_calls_per_minute,
        "template_id": world.options.template_id,
        "corp_id": world.options.corp_id,
        "agent_id": world.options.agent_id,
    }


def change_settings(world: World, request: Request) -> Any:
    """Changes ``callback_url`` and ``calls_per_minute`` until the next start."""
    body = request.json()
    if "callback_url" in body:
        world.sender.set_callback_url(str(body["callback_url"]))
    if "calls_per_minute" in body:
        world.limits.approval_calls_per_minute = number(body["calls_per_minute"], "calls_per_minute")
        world.limits.clear()
    return read_settings(world, request)


def stats(world: World, request: Request) -> Any:
    """``calls``: answers by endpoint and errcode. ``approvals``: by status. ``events``: by state."""
    calls: dict[str, dict[str, int]] = {}
    for row in world.store.rows("SELECT * FROM answers ORDER BY endpoint, errcode"):
        calls.setdefault(row["endpoint"], {})[str(row["errcode"])] = row["total"]
    statuses = world.store.rows("SELECT status, count(*) AS total FROM approvals GROUP BY status")
    return {
        "calls": {endpoint: {"total": sum(codes.values()), "errcodes": codes} for endpoint, codes in calls.items()},
        "gettoken": sum(calls.get("gettoken", {}).values()),
        "approvals": {"total": world.store.number("SELECT count(*) FROM approvals")}
        | {STATUS_WORDS[row["status"]]: row["total"] for row in statuses},
        "events": world.events.counts(),
        "messages": {
            "delivered": world.store.number("SELECT count(*) FROM messages WHERE NOT dropped"),
            "dropped": world.store.number("SELECT count(*) FROM messages WHERE dropped"),
        },
    }


def reset(world: World, request: Request) -> Any:
    world.reset()
    return {"reset": True}


def add_bulk(world: World, request: Request) -> Any:
    return {"approvals": bulk.add_many(world, request.json())}


def act_bulk(world: World, request: Request) -> Any:
    return bulk.act_on_many(world, request.json())


CONTROL = Control["World"](
    (
        ("GET", r"approvals", list_approvals),
        ("GET", r"approvals/(?P<key>[^/]+)", read_approval),
        ("POST", r"approvals/(?P<key>[^/]+)/act", act_on_approval),
        ("POST", r"engine/start", start_engine),
        ("GET", r"messages", list_messages),
        ("GET", r"events", list_events),
        ("POST", r"events/release", release_events),
        ("POST", r"events/resend", resend_event),
        ("POST", r"tokens/end", end_tokens),
        ("POST", r"verify-callback", verify_callback),
        ("GET", r"settings", read_settings),
        ("POST", r"settings", change_settings),
        ("GET", r"stats", stats),
        ("POST", r"reset", reset),
        ("POST", r"bulk", add_bulk),
        ("POST", r"bulk/act", act_bulk),
        *card_control.ROUTES,
        *contact_control.ROUTES,
    )
)


def _approval(world: World, approval: Approval) -> dict[str, Any]:
    return as_json(approval, world.templates.get(approval.template_id))


def _status(text: str) -> int | None:
    if not text:
        return None
    words = {word: code for code, word in STATUS_WORDS.items()}
    return words[text] if text in words else number(text, "status")
