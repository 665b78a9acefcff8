"""The directory as a self-built app created after June 2022 sees it: names and structure, nothing sensitive
(docs 90208, 95350, 95351, 90196, 90200, 90201)."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from wecom.standin.call import Call
from wecom.standin.company import (
    Department,
    Member,
    find_department,
    visible_departments,
)
from wecom.standin.errors import ApiError
from wecom.standin.tokens import is_assistants

if TYPE_CHECKING:
    from wecom.standin.world import World

MOST_IDS = 10_000


def department_list(world: World, call: Call) -> dict[str, Any]:
    return {"department": [_department(department) for department in _below(world, call)]}


def department_simplelist(world: World, call: Call) -> dict[str, Any]:
    return {
        "department_id": [
            {"id": department.id, "parentid": department.parent_id, "order": department.order}
            for department in _below(world, call)
        ]
    }


def department_get(world: World, call: Call) -> dict[str, Any]:
    return {"department": _department(_wanted_department(world, call.query.get("id", "")))}


def user_get(world: World, call: Call) -> dict[str, Any]:
    userid = call.query.get("userid", "")
    if not userid:
        raise ApiError(40003, "userid missing")
    member = world.staff.find_visible(userid) or world.crowd.find_member(userid)
    if member is None:
        raise ApiError(60111, "userid not found")
    return _member(world, member)


def user_simplelist(world: World, call: Call) -> dict[str, Any]:
    members = _members_of(world, call)
    return {
        "userlist": [
            {"userid": member.userid, "name": member.name, "department": list(member.departments)} for member in members
        ]
    }


def user_list(world: World, call: Call) -> dict[str, Any]:
    return {"userlist": [_member(world, member) for member in _members_of(world, call)]}


def user_list_id(world: World, call: Call) -> dict[str, Any]:
    """Everybody, in the app's scope or not, once for each department; only the sync assistant's secret may call this
    (doc 96067), never an app's. The cursor is the number of the first row."""
    if not is_assistants(call.query.get("access_token", "")):
        raise ApiError(48002, "api forbidden for this secret")
    cursor, limit = call.text("cursor") or "0", call.integer("limit") or MOST_IDS
    if not cursor.isdigit():
        raise ApiError(60268, "invalid cursor")
    first, last = int(cursor), int(cursor) + min(max(limit, 1), MOST_IDS)
    everybody = chain(world.staff.members(), world.crowd.members())
    places = ((member.userid, department) for member in everybody for department in member.departments)
    rows = list(islice(places, first, last + 1))
    return {
        "dept_user": [{"userid": userid, "department": department} for userid, department in rows[: last - first]],
        "next_cursor": str(last) if len(rows) > last - first else "",
    }


def _below(world: World, call: Call) -> list[Department]:
    number = call.query.get("id", "")
    if not number:
        return [*visible_departments(), *world.crowd.departments()]
    top = _wanted_department(world, number).id
    found = {department.id: department for department in visible_departments(top)}
    for department in world.crowd.departments():
        if department.id == top or department.parent_id in found:
            found[department.id] = department
    return list(found.values())


def _members_of(world: World, call: Call) -> list[Member]:
    department = _wanted_department(world, call.query.get("department_id", "")).id
    return [*world.staff.visible(department), *world.crowd.members_of(department)]


def _wanted_department(world: World, number: str) -> Department:
    department = _find_department(world, int(number)) if number.isdigit() else None
    if department is None:
        raise ApiError(60003, "department not found")
    return department


def _find_department(world: World, number: int) -> Department | None:
    return find_department(number) or world.crowd.find_department(number)


def _department(department: Department) -> dict[str, Any]:
    return {
        "id": department.id,
        "name": department.name,
        "name_en": department.name_en,
        "department_leader": list(department.leaders),
        "parentid": department.parent_id,
        "order": department.order,
    }


def _member(world: World, member: Member) -> dict[str, Any]:
    departments = [found for number in member.departments if (found := _find_department(world, number))]
    return {
        "userid": member.userid,
        "name": member.name,
        "alias": member.alias,
        "position": member.position,
        "department": [department.id for department in departments],
        "order": [0] * len(departments),
        "is_leader_in_dept": [int(member.userid in department.leaders) for department in departments],
        "main_department": member.main_department,
        "direct_leader": [member.leader] if member.leader else [],
        "telephone": member.telephone,
        "gender": "0",
        "status": 1,
        "extattr": {"attrs": []},
    }
