"""What WeCom tells of customers, made fit for our columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wecom.directory_api import Object
from wecom.directory_sync.values import number, text, texts

LONGEST_ID = 64
CONTACT = ("name", "type", "avatar", "gender", "unionid", "position", "corp_name", "corp_full_name")
"""Columns of a customer after its ID."""
FOLLOWER = ("userid", "remark", "description", "remark_corp_name", "remark_mobiles", "since", "state", "add_way")
"""Columns of a follower; the IDs of the tags come after them."""
TYPES = (1, 2)
LARGEST_WAY = 32767
LATEST = 253402300799
"""The last second of the year 9999."""


def key_of(told: Mapping[str, Any], name: str) -> str:
    """An ID that WeCom wrote under ``name``; ``""`` when it cannot be one."""
    value = told.get(name)
    usable = isinstance(value, str) and 0 < len(value) <= LONGEST_ID and "\0" not in value
    return str(value) if usable else ""


def contact_row(told: Object) -> list[Any]:
    """The values of CONTACT."""
    kind = number(told.get("type"))
    gender = number(told.get("gender"))
    return [
        text(told, "name", 200) or "",
        kind if kind in TYPES else 1,
        text(told, "avatar", 500) or "",
        gender if gender in (1, 2) else 0,
        text(told, "unionid", 64) or "",
        text(told, "position", 128) or "",
        text(told, "corp_name", 200) or "",
        text(told, "corp_full_name", 200) or "",
    ]


def follower_row(told: Object, known_tags: Collection[str]) -> list[Any]:
    """The values of FOLLOWER (``since`` in Unix seconds) and the sorted IDs of those tags that are known."""
    way, since = number(told.get("add_way")), told.get("createtime")
    return [
        key_of(told, "userid"),
        text(told, "remark", 200) or "",
        text(told, "description", 5000) or "",
        text(told, "remark_corp_name", 200) or "",
        texts(told.get("remark_mobiles"), 32) or [],
        since if type(since) is int and 0 < since <= LATEST else None,
        text(told, "state", 64) or "",
        way if way is not None and way <= LARGEST_WAY else 0,
        sorted(set(tag_ids(told)) & set(known_tags)),
    ]


def tag_ids(told: Object) -> list[str]:
    """The company's tags at a customer: plain IDs in the batch (doc 92994), objects with names in ``get`` (doc 92114),
    where a member's own tags have no ID."""
    plain = told.get("tag_id")
    if isinstance(plain, list):
        return [one for one in plain if isinstance(one, str)]
    objects = told.get("tags")
    return [
        one["tag_id"]
        for one in (objects if isinstance(objects, list) else ())
        if isinstance(one, Mapping) and isinstance(one.get("tag_id"), str)
    ]


@dataclass(slots=True)
class TagTree:
    """The company's tags. ``groups``: name and order by ID; ``tags``: group's ID, name and order by ID."""

    groups: dict[str, tuple[str, int]] = field(default_factory=dict)
    tags: dict[str, tuple[str, str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Iterable[Object]) -> TagTree:
        tree = cls()
        for group in told:
            group_id = key_of(group, "group_id")
            if not group_id or group.get("deleted") is True:
                continue
            tree.groups[group_id] = (text(group, "group_name", 100) or "", number(group.get("order")) or 0)
            members = group.get("tag")
            for tag in members if isinstance(members, list) else ():
                if isinstance(tag, Mapping) and (tag_id := key_of(tag, "id")) and tag.get("deleted") is not True:
                    order = number(tag.get("order")) or 0
                    tree.tags[tag_id] = (group_id, text(tag, "name", 100) or "", order)
        return tree
