"""The part of ``/standin/api`` that is about members, customers and tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from config.standin.control import Handler, number
from config.standin.errors import ControlError
from config.standin.web import Request
from wecom.standin import contact_events

if TYPE_CHECKING:
    from wecom.standin.world import World


def list_members(world: World, request: Request) -> Any:
    return {"members": [asdict(member) for member in world.staff.members()]}


def act_on_member(world: World, request: Request, userid: str) -> Any:
    body = request.json()
    contact_events.act_on_member(world, userid, str(body.get("action") or ""), body, event=_event(body))
    member = world.staff.find(str(body.get("new_userid") or userid))
    return {"member": asdict(member) if member else None}


def list_customers(world: World, request: Request) -> Any:
    return {"customers": world.customers.all()}


def act_on_customer(world: World, request: Request, external_userid: str = "") -> Any:
    body = request.json()
    action, userid = str(body.get("action") or "add"), str(body.get("userid") or "")
    wanted = external_userid or str(body.get("external_userid") or "")
    key = contact_events.act_on_customer(world, wanted, action, userid, body, event=_event(body))
    return {"external_userid": key, "followers": world.customers.followers(key)}


def list_tags(world: World, request: Request) -> Any:
    return {"groups": world.customers.groups()}


def save_tags(world: World, request: Request, group: str) -> Any:
    body = request.json()
    tags = body.get("tags") or {}
    if not isinstance(tags, Mapping):
        raise ControlError(400, "tags must be an object of names by ID")
    order = number(body.get("order") or 0, "order")
    names = {str(key): str(name) for key, name in tags.items()}
    contact_events.save_tags(world, group, str(body.get("name") or group), order, names, event=_event(body))
    return list_tags(world, request)


def remove_tags(world: World, request: Request, key: str) -> Any:
    contact_events.remove_tags(world, key)
    return list_tags(world, request)


def set_unlicensed(world: World, request: Request) -> Any:
    """Members of whose customers nothing is told."""
    userids = request.json().get("userids")
    if not isinstance(userids, list):
        raise ControlError(400, "userids must be a list")
    world.customers.set_unlicensed(map(str, userids))
    return {"unlicensed": sorted(world.customers.unlicensed())}


def raise_event(world: World, request: Request) -> Any:
    """Any callback about contacts, true or not: ``event``, ``change_type``, ``tags``."""
    body = request.json()
    name, change, tags = str(body.get("event") or ""), str(body.get("change_type") or ""), body.get("tags") or {}
    known = (contact_events.CONTACT, contact_events.CUSTOMER, contact_events.TAG)
    if name not in known or not change or not isinstance(tags, Mapping):
        raise ControlError(400, f"event must be one of {', '.join(known)}, with change_type and an object of tags")
    texts = {str(tag): str(value) for tag, value in tags.items()}
    return {"ids": contact_events.raise_event(world, name, change, next(iter(texts.values()), ""), texts)}


def _event(body: Mapping[str, Any]) -> bool:
    event = body.get("event", True)
    if not isinstance(event, bool):
        raise ControlError(400, "event must be true or false")
    return event


ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", r"members", list_members),
    ("POST", r"members/(?P<userid>[^/]+)/act", act_on_member),
    ("GET", r"customers", list_customers),
    ("POST", r"customers", act_on_customer),
    ("POST", r"customers/(?P<external_userid>[^/]+)/act", act_on_customer),
    ("GET", r"tags", list_tags),
    ("POST", r"tags/(?P<group>[^/]+)", save_tags),
    ("DELETE", r"tags/(?P<key>[^/]+)", remove_tags),
    ("POST", r"unlicensed", set_unlicensed),
    ("POST", r"contact-events", raise_event),
)
