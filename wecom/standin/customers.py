"""The customers of the made-up company: who they are, which members follow them with which notes, and the tags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from config.standin.store import Store

if TYPE_CHECKING:
    from wecom.standin.world import World

SELLERS = ("sun.director", "li.mei", "chen.yu", "zhou.lan", "he.engineer")
"""Who is configured in 客户联系 → 权限配置 → 使用范围, beside those who have customers."""
SEED_TAGS = (
    ("etGroupLevel", "客户等级", 200, (("etTagVip", "重要客户"), ("etTagNormal", "普通客户"))),
    ("etGroupSource", "客户来源", 100, (("etTagFair", "展会"), ("etTagWeb", "官网"))),
)
SEED_CUSTOMERS: tuple[tuple[str, dict[str, Any], tuple[tuple[str, dict[str, Any]], ...]], ...] = (
    (
        "wmSuzhouHengyuan",
        {"name": "周总", "type": 2, "position": "采购总监", "corp_name": "苏州恒远", "gender": 1},
        (
            ("li.mei", {"remark": "恒远周总", "tag_id": ["etTagVip", "etTagFair"], "add_way": 1}),
            ("he.engineer", {"remark": "恒远 周", "tag_id": ["etTagVip"], "add_way": 201}),
        ),
    ),
    ("wmNingboHaitian", {"name": "小徐", "gender": 2}, (("chen.yu", {"remark": "宁波海天 徐工", "tag_id": []}),)),
    ("wmGuangzhouNanfang", {"name": "A南方机电-老何"}, (("zhou.lan", {"tag_id": ["etTagNormal", "etTagWeb"]}),)),
)


class Customers:
    """Owns the tables ``customers``, ``follows``, ``tag_groups`` and ``unlicensed``. IDs are kept as they are given;
    userids compare folded."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- customers and who follows them ------------------------------------------------------------------------------

    def save(self, external_userid: str, told: Mapping[str, Any]) -> None:
        """``told``: what ``external_contact`` says beside the ID; what is not named stays."""
        doc = (self.find(external_userid) or {"name": external_userid, "type": 1, "avatar": "", "gender": 0}) | dict(
            told
        )
        statement = (
            "INSERT INTO customers (external_userid, doc) VALUES (?, ?)"
            " ON CONFLICT (external_userid) DO UPDATE SET doc = excluded.doc"
        )
        self._store.execute(statement, external_userid, json.dumps(doc | {"external_userid": external_userid}))

    def find(self, external_userid: str) -> dict[str, Any] | None:
        row = self._store.row("SELECT doc FROM customers WHERE external_userid = ?", external_userid)
        return json.loads(row["doc"]) if row else None

    def follow(self, external_userid: str, userid: str, told: Mapping[str, Any]) -> None:
        """``told``: notes of the member, ``tag_id`` among them; what is not named stays."""
        row = self._store.row(
            "SELECT doc FROM follows WHERE external_userid = ? AND userid = ?", external_userid, userid.casefold()
        )
        stored = json.loads(row["doc"]) if row else {"remark": "", "description": "", "tag_id": [], "add_way": 0}
        statement = (
            "INSERT INTO follows (external_userid, userid, doc) VALUES (?, ?, ?)"
            " ON CONFLICT (external_userid, userid) DO UPDATE SET doc = excluded.doc"
        )
        self._store.execute(
            statement, external_userid, userid.casefold(), json.dumps(stored | dict(told) | {"userid": userid})
        )

    def unfollow(self, external_userid: str, userid: str) -> bool:
        """Whether there was anything to end. A customer without followers is nobody's any more."""
        with self._store.transaction():
            ended = self._store.execute(
                "DELETE FROM follows WHERE external_userid = ? AND userid = ?", external_userid, userid.casefold()
            ).rowcount
            self._store.execute(
                "DELETE FROM customers WHERE external_userid NOT IN (SELECT external_userid FROM follows)"
            )
        return bool(ended)

    def followers(self, external_userid: str) -> list[dict[str, Any]]:
        rows = self._store.rows("SELECT doc FROM follows WHERE external_userid = ? ORDER BY rowid", external_userid)
        return [json.loads(row["doc"]) for row in rows]

    def followed_by(self) -> set[str]:
        """Who has customers, folded."""
        return {row["userid"] for row in self._store.rows("SELECT DISTINCT userid FROM follows")}

    def of_members(self, userids: Iterable[str]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Customer and notes, member by member: a customer of two comes twice."""
        found = []
        for userid in userids:
            rows = self._store.rows(
                "SELECT customers.doc AS customer, follows.doc AS notes FROM follows JOIN customers"
                " USING (external_userid) WHERE follows.userid = ? ORDER BY follows.rowid",
                userid.casefold(),
            )
            found += [(json.loads(row["customer"]), json.loads(row["notes"])) for row in rows]
        return found

    def all(self) -> list[dict[str, Any]]:
        """Every customer, with ``followers``."""
        rows = self._store.rows("SELECT doc FROM customers ORDER BY rowid")
        customers = [json.loads(row["doc"]) for row in rows]
        return [one | {"followers": self.followers(one["external_userid"])} for one in customers]

    # -- licences ----------------------------------------------------------------------------------------------------

    def set_unlicensed(self, userids: Iterable[str]) -> None:
        with self._store.transaction():
            self._store.execute("DELETE FROM unlicensed")
            self._store.insert_many("unlicensed", ("userid",), [(userid.casefold(),) for userid in userids])

    def unlicensed(self) -> set[str]:
        """Folded."""
        return {row["userid"] for row in self._store.rows("SELECT userid FROM unlicensed")}

    # -- tags --------------------------------------------------------------------------------------------------------

    def save_group(self, group_id: str, name: str, order: int, tags: Mapping[str, str]) -> None:
        """``tags``: names by ID, all of the group."""
        statement = (
            "INSERT INTO tag_groups (group_id, doc) VALUES (?, ?)"
            " ON CONFLICT (group_id) DO UPDATE SET doc = excluded.doc"
        )
        self._store.execute(statement, group_id, json.dumps({"name": name, "order": order, "tags": dict(tags)}))

    def groups(self) -> dict[str, dict[str, Any]]:
        """``name``, ``order`` and ``tags`` (names by ID), by group's ID."""
        rows = self._store.rows("SELECT group_id, doc FROM tag_groups ORDER BY rowid")
        return {row["group_id"]: json.loads(row["doc"]) for row in rows}

    def remove_tags(self, key: str) -> str:
        """A tag, or a group with its tags, taken from all customers; returns ``tag``, ``tag_group`` or ``""``."""
        groups = self.groups()
        with self._store.transaction():
            if key in groups:
                self._store.execute("DELETE FROM tag_groups WHERE group_id = ?", key)
                self._take_from_all(set(groups[key]["tags"]))
                return "tag_group"
            for group_id, group in groups.items():
                if group["tags"].pop(key, None) is not None:
                    self.save_group(group_id, group["name"], group["order"], group["tags"])
                    self._take_from_all({key})
                    return "tag"
        return ""

    def _take_from_all(self, tags: set[str]) -> None:
        for row in self._store.rows("SELECT external_userid, doc FROM follows"):
            notes = json.loads(row["doc"])
            if tags & set(notes["tag_id"]):
                left = [key for key in notes["tag_id"] if key not in tags]
                self.follow(row["external_userid"], notes["userid"], {"tag_id": left})


def seed(world: World) -> None:
    """A few customers and tags in an empty stand-in."""
    customers = world.customers
    if customers.groups() or customers.all():
        return
    with world.store.transaction():
        for group_id, name, order, tags in SEED_TAGS:
            customers.save_group(group_id, name, order, dict(tags))
        for place, (external_userid, told, followers) in enumerate(SEED_CUSTOMERS, 1):
            customers.save(external_userid, told)
            for userid, notes in followers:
                customers.follow(external_userid, userid, notes | {"createtime": world.now() - place * 86400})
