"""What people do with members, customers and tags in WeCom, and the callbacks about it (docs 90970, 92130).

As receivers set up since August 2022 get them: of members only IDs and departments, and nothing at all when a name has
changed.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from config.standin.errors import ControlError
from wecom.standin.company import Member
from wecom.standin.xml_events import Tag, element

if TYPE_CHECKING:
    from wecom.standin.world import World

CONTACT, CUSTOMER, TAG = "change_contact", "change_external_contact", "change_external_tag"
MEMBER_ACTS = ("hire", "change", "rename", "leave")
CUSTOMER_ACTS = ("add", "edit", "delete", "remove_member", "transfer_fail")


def raise_event(world: World, name: str, change: str, subject: str, tags: Mapping[str, str]) -> list[int]:
    """Queue one callback about contacts; those about members carry no AgentID."""
    agent = "" if name == CONTACT else str(world.options.agent_id)
    content: list[Tag] = [
        ("ToUserName", world.options.corp_id),
        ("FromUserName", "sys"),
        ("CreateTime", world.now()),
        ("MsgType", "event"),
        ("Event", name),
        ("ChangeType", change),
        *tags.items(),
    ]
    return world.events.emit(name, subject, agent, element("xml", content))


def act_on_member(world: World, userid: str, action: str, told: Mapping[str, Any], *, event: bool = True) -> None:
    """``told``: name, position, departments, and new_userid for a rename. Raises ControlError 400, 404, 409."""
    if action not in MEMBER_ACTS:
        raise ControlError(400, f"unknown action {action!r}; known are {', '.join(MEMBER_ACTS)}")
    with world.store.transaction():
        before = world.staff.find(userid)
        if (before is None) == (action != "hire"):
            raise ControlError(404 if before is None else 409, f"{userid!r} does not fit {action}")
        change, tags = _member_act(world, before, userid, action, told)
        if event and change:
            raise_event(world, CONTACT, change, userid, {"UserID": userid} | tags)


def _member_act(
    world: World, before: Member | None, userid: str, action: str, told: Mapping[str, Any]
) -> tuple[str, dict[str, str]]:
    """What WeCom calls it, ``""`` where it says nothing, and what comes along."""
    if action == "leave":  # what was theirs waits to be handed over, and is told of nobody
        world.staff.remove(userid)
        for customer, _notes in world.customers.of_members([userid]):
            world.customers.unfollow(customer["external_userid"], userid)
        return "delete_user", {}
    member = _told(before or Member(userid, userid, "", "", (1,)), told)
    places = ",".join(map(str, member.departments))
    if action == "rename":
        new = str(told.get("new_userid") or "")
        if not new or (new.casefold() != userid.casefold() and world.staff.find(new)):
            raise ControlError(400, "new_userid must be a free userid")
        world.staff.remove(userid)
        world.staff.save(replace(member, userid=new))
        _hand_over(world, userid, new)
        return "update_user", {"NewUserID": new, "Department": places}
    world.staff.save(member)
    if action == "hire":
        return "create_user", {"Department": places}
    moved = before is not None and before.departments != member.departments
    return ("update_user", {"Department": places}) if moved else ("", {})


def _told(member: Member, told: Mapping[str, Any]) -> Member:
    changes: dict[str, Any] = {name: str(told[name]) for name in ("name", "alias", "position") if name in told}
    if "departments" in told:
        changes["departments"] = tuple(int(number) for number in told["departments"])
    return replace(member, **changes)


def _hand_over(world: World, userid: str, new: str) -> None:
    for customer, notes in world.customers.of_members([userid]):
        world.customers.follow(customer["external_userid"], new, notes | {"userid": new})
        if new.casefold() != userid.casefold():
            world.customers.unfollow(customer["external_userid"], userid)


def act_on_customer(
    world: World, external_userid: str, action: str, userid: str, told: Mapping[str, Any], *, event: bool = True
) -> str:
    """What ``userid`` does with a customer (``remove_member``: the customer with them); returns the customer's ID.

    ``told``: name, corp_name, position, type; remark, description, state, tag_id; reason of a failed hand-over.
    """
    if action not in CUSTOMER_ACTS:
        raise ControlError(400, f"unknown action {action!r}; known are {', '.join(CUSTOMER_ACTS)}")
    external_userid = external_userid or f"wm{secrets.token_hex(12)}"
    if action != "add" and world.customers.find(external_userid) is None:
        raise ControlError(404, f"there is no customer {external_userid!r}")
    if world.staff.find(userid) is None:
        raise ControlError(400, f"userid: there is no member {userid!r}")
    with world.store.transaction():
        change, tags = _customer_act(world, external_userid, action, userid, told)
        if event:
            common = {"UserID": userid, "ExternalUserID": external_userid}
            raise_event(world, CUSTOMER, change, external_userid, common | tags)
    return external_userid


def _customer_act(
    world: World, external_userid: str, action: str, userid: str, told: Mapping[str, Any]
) -> tuple[str, dict[str, str]]:
    if action == "transfer_fail":
        return "transfer_fail", {"FailReason": str(told.get("reason") or "customer_refused")}
    if action == "remove_member":  # both stay readable
        return "del_follow_user", {}
    if action == "delete":
        if not world.customers.unfollow(external_userid, userid):
            raise ControlError(409, f"{userid} does not follow {external_userid}")
        return "del_external_contact", {}
    if action == "edit" and not any(
        notes["userid"].casefold() == userid.casefold() for notes in world.customers.followers(external_userid)
    ):
        raise ControlError(409, f"{userid} does not follow {external_userid}")
    about = {name: told[name] for name in ("name", "corp_name", "position", "type", "gender") if name in told}
    notes = {name: told[name] for name in ("remark", "description", "state", "tag_id", "add_way") if name in told}
    if action == "add":
        notes.setdefault("createtime", world.now())
    world.customers.save(external_userid, about)
    world.customers.follow(external_userid, userid, notes)
    state = str(told.get("state") or "")
    return f"{action}_external_contact", {"State": state} if state and action == "add" else {}


def save_tags(
    world: World, group_id: str, name: str, order: int, tags: Mapping[str, str], *, event: bool = True
) -> None:
    """A group as it is to be. One callback for the group and one for each tag that is new, other or gone."""
    with world.store.transaction():
        stored = world.customers.groups().get(group_id)
        before: dict[str, str] = stored["tags"] if stored else {}
        for key in before.keys() - tags.keys():
            world.customers.remove_tags(key)
        world.customers.save_group(group_id, name, order, tags)
        if not event:
            return
        if stored is None or (stored["name"], stored["order"]) != (name, order):
            _raise_tag(world, "update" if stored else "create", group_id, "tag_group")
        for key, label in tags.items():
            if before.get(key) != label:
                _raise_tag(world, "update" if key in before else "create", key, "tag")
        for key in before.keys() - tags.keys():
            _raise_tag(world, "delete", key, "tag")


def remove_tags(world: World, key: str, *, event: bool = True) -> str:
    """A tag or a group; of the group's tags WeCom says nothing. Raises ControlError 404."""
    with world.store.transaction():
        kind = world.customers.remove_tags(key)
        if not kind:
            raise ControlError(404, f"there is no tag or group {key!r}")
        if event:
            _raise_tag(world, "delete", key, kind)
    return kind


def _raise_tag(world: World, change: str, key: str, kind: str) -> None:
    raise_event(world, TAG, change, key, {"Id": key, "TagType": kind})
