"""The members with names as they are by now: some may have been renamed, moved or hired, or have left."""

from __future__ import annotations

import json
from dataclasses import asdict

from config.standin.store import Store
from wecom.standin.company import MEMBERS, Member, find_department


class Staff:
    """Owns the table ``staff``: one row for each who differs from ``company.MEMBERS``, empty for whoever has left."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def members(self) -> list[Member]:
        rows = self._store.rows("SELECT userid, doc FROM staff ORDER BY rowid")
        changed = {row["userid"] for row in rows}
        as_ever = [member for member in MEMBERS if member.userid.casefold() not in changed]
        return [*as_ever, *(_member(row["doc"]) for row in rows if row["doc"])]

    def visible(self, department: int | None = None) -> list[Member]:
        """Those in the app's scope; with a department only its direct ones."""
        return [
            member
            for member in self.members()
            if _in_scope(member) and (department is None or department in member.departments)
        ]

    def find(self, userid: str) -> Member | None:
        wanted = userid.casefold()
        return next((member for member in self.members() if member.userid.casefold() == wanted), None)

    def find_visible(self, userid: str) -> Member | None:
        member = self.find(userid)
        return member if member and _in_scope(member) else None

    def save(self, member: Member) -> None:
        self._write(member.userid, json.dumps(asdict(member)))

    def remove(self, userid: str) -> None:
        self._write(userid, "")

    def _write(self, userid: str, doc: str) -> None:
        statement = (
            "INSERT INTO staff (userid, doc) VALUES (?, ?) ON CONFLICT (userid) DO UPDATE SET doc = excluded.doc"
        )
        self._store.execute(statement, userid.casefold(), doc)


def _member(doc: str) -> Member:
    values = json.loads(doc)
    return Member(**values | {"departments": tuple(values["departments"])})


def _in_scope(member: Member) -> bool:
    return any(find_department(number) for number in member.departments)
