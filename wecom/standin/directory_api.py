"""The directory as a self-built app created after June 2022 sees it: names and structure, nothing sensitive
(docs 90208, 95350, 95351, 90196, 90200, 90201)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wecom.standin.call import Call
from wecom.standin.company import (
    Department,
    Member,
    find_department,
    find_visible_member,
    visible_departments,
    visible_members,
)
from wecom.standin.errors import ApiError

if TYPE_CHECKING:
    from wecom.standin.world import World


def department_list(world: World, call: Call) -> dict[str, Any]:
    return {"department": [_department(department) for department in _below(call)]}


def department_simplelist(world: World, call: Call) -> dict[str, Any]:
    return {
        "department_id": [
            {"id": department.id, "parentid": department.parent_id, "order": department.order}
            for department in _below(call)
        ]
    }


def department_get(world: World, call: Call) -> dict[str, Any]:
    return {"department": _department(_wanted_department(call.query.get("id", "")))}


def user_get(world: World, call: Call) -> dict[str, Any]:
    userid = call.query.get("userid", "")
    if not userid:
        raise ApiError(40003, "userid missing")
    member = find_visible_member(userid)
    if member is None:
        raise ApiError(60111, "userid not found")
    return _member(member)


def user_simplelist(world: World, call: Call) -> dict[str, Any]:
    members = _members_of(call)
    return {
        "userlist": [
            {"userid": member.userid, "name": member.name, "department": list(member.departments)} for member in members
        ]
    }


def user_list(world: World, call: Call) -> dict[str, Any]:
    return {"userlist": [_member(member) for member in _members_of(call)]}


def user_list_id(world: World, call: Call) -> dict[str, Any]:
    """Only the contact-sync assistant's secret may call this (doc 96067), never an app's."""
    raise ApiError(48002, "api forbidden for this secret")


def _below(call: Call) -> list[Department]:
    number = call.query.get("id", "")
    return visible_departments(_wanted_department(number).id if number else None)


def _members_of(call: Call) -> list[Member]:
    return visible_members(_wanted_department(call.query.get("department_id", "")).id)


def _wanted_department(number: str) -> Department:
    department = find_department(int(number)) if number.isdigit() else None
    if department is None:
        raise ApiError(60003, "department not found")
    return department


def _department(department: Department) -> dict[str, Any]:
    return {
        "id": department.id,
        "name": department.name,
        "name_en": department.name_en,
        "department_leader": list(department.leaders),
        "parentid": department.parent_id,
        "order": department.order,
    }


def _member(member: Member) -> dict[str, Any]:
    leaders = {userid for number in member.departments if (d := find_department(number)) for userid in d.leaders}
    return {
        "userid": member.userid,
        "name": member.name,
        "alias": member.alias,
        "position": member.position,
        "department": list(member.departments),
        "order": [0] * len(member.departments),
        "is_leader_in_dept": [int(member.userid in leaders)] * len(member.departments),
        "main_department": member.main_department,
        "direct_leader": [member.leader] if member.leader else [],
        "telephone": member.telephone,
        "gender": "0",
        "status": 1,
        "extattr": {"attrs": []},
    }
