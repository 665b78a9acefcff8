"""Customers as an app with the right for them sees them (docs 92571, 92113, 92114, 92994, 92117)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wecom.standin.call import Call
from wecom.standin.customers import SELLERS
from wecom.standin.errors import ApiError

if TYPE_CHECKING:
    from wecom.standin.world import World

MOST_MEMBERS = 100
MOST_CUSTOMERS = 100
USUAL_PAGE = 50
CORP_TAG = 1


def get_follow_user_list(world: World, call: Call) -> dict[str, Any]:
    selling = {*SELLERS, *world.customers.followed_by()}
    return {"follow_user": [one.userid for one in world.staff.visible() if one.userid.casefold() in selling]}


def list_of_member(world: World, call: Call) -> dict[str, Any]:
    found = world.customers.of_members([_licensed(world, call.query.get("userid", ""))])
    if not found:
        raise ApiError(84061, "not external contact")
    return {"external_userid": [customer["external_userid"] for customer, _notes in found]}


def get(world: World, call: Call) -> dict[str, Any]:
    external_userid = call.query.get("external_userid", "")
    if not external_userid:
        raise ApiError(41035, "external_userid missing")
    customer = world.customers.find(external_userid)
    followers = world.customers.followers(external_userid)
    if customer is None or not followers:
        raise ApiError(84061, "not external contact")
    return {"external_contact": customer, "follow_user": [_named(world, notes) for notes in followers]}


def batch_get_by_user(world: World, call: Call) -> dict[str, Any]:
    """The cursor is the number of the first row."""
    userids = [userid for userid in call.items("userid_list") if isinstance(userid, str)]
    if not userids:
        raise ApiError(40058, "userid_list missing")
    if len(userids) > MOST_MEMBERS:
        raise ApiError(40058, "userid_list too long")
    unlicensed = [userid for userid in userids if userid.casefold() in world.customers.unlicensed()]
    if len(unlicensed) == len(userids):
        raise ApiError(701008, "no member with a license")
    rows = world.customers.of_members(userid for userid in userids if userid not in unlicensed)
    if not rows and len(userids) == 1:
        raise ApiError(84061, "not external contact")
    cursor, limit = call.text("cursor") or "0", call.integer("limit") or USUAL_PAGE
    if not cursor.isdigit():
        raise ApiError(60268, "invalid cursor")
    first, last = int(cursor), int(cursor) + min(max(limit, 1), MOST_CUSTOMERS)
    return {
        "external_contact_list": [
            {"external_contact": customer, "follow_info": notes} for customer, notes in rows[first:last]
        ],
        "next_cursor": str(last) if len(rows) > last else "",
        "fail_info": {"unlicensed_userid_list": unlicensed},
    }


def get_corp_tag_list(world: World, call: Call) -> dict[str, Any]:
    groups, tags = set(call.items("group_id")), set(call.items("tag_id"))
    found = []
    for group_id, group in world.customers.groups().items():
        wanted = {key: name for key, name in group["tags"].items() if groups or not tags or key in tags}
        if (groups and group_id not in groups) or (tags and not groups and not wanted):
            continue
        found.append(
            {
                "group_id": group_id,
                "group_name": group["name"],
                "create_time": 0,
                "order": group["order"],
                "tag": [
                    {"id": key, "name": name, "create_time": 0, "order": len(wanted) - place}
                    for place, (key, name) in enumerate(wanted.items())
                ],
            }
        )
    return {"tag_group": found}


def _licensed(world: World, userid: str) -> str:
    if world.staff.find_visible(userid) is None:
        raise ApiError(60111, "userid not found")
    if userid.casefold() in world.customers.unlicensed():
        raise ApiError(701008, "no member with a license")
    return userid


def _named(world: World, notes: dict[str, Any]) -> dict[str, Any]:
    """``get`` tells names of tags where the batch tells IDs only."""
    groups = world.customers.groups()
    tags = [
        {"group_name": group["name"], "tag_name": group["tags"][key], "tag_id": key, "type": CORP_TAG}
        for key in notes["tag_id"]
        for group in groups.values()
        if key in group["tags"]
    ]
    return {key: value for key, value in notes.items() if key != "tag_id"} | {"tags": tags}
