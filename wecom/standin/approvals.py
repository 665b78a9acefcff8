"""Approvals as the stand-in keeps them: a row to search by, and a document with the nodes and the form."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from config.standin.store import Store
from wecom.standin import flow

OA, ENGINE = "oa", "engine"
PENDING, APPROVED, REJECTED, WITHDRAWN, REVOKED, DELETED, PAID = 1, 2, 3, 4, 6, 7, 10
STATUS_WORDS = {
    PENDING: "pending",
    APPROVED: "approved",
    REJECTED: "rejected",
    WITHDRAWN: "cancelled",
    REVOKED: "revoked",
    DELETED: "deleted",
    PAID: "paid",
}
# WeCom's days are China's, whatever the machine's zone.
CHINA = timezone(timedelta(hours=8))


@dataclass(slots=True)
class Approval:
    """``contents`` is the form as submitted; ``name`` the template's; times are Unix seconds."""

    kind: str
    third_no: str
    template_id: str
    name: str
    creator: str
    department: int
    applied_at: int
    nodes: list[flow.Node]
    contents: list[dict[str, Any]] = field(default_factory=list)
    summary: list[str] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    status: int = PENDING
    sp_no: str | None = None
    quiet: bool = False
    id: int = 0

    @property
    def number(self) -> str:
        """The number that events and pages call it by."""
        return self.sp_no or self.third_no

    @property
    def waiting_for(self) -> list[str]:
        return flow.waiting(self.nodes) if self.status == PENDING else []


class Approvals:
    """Owns the tables ``approvals``, ``form_texts`` and ``people``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, approval: Approval, now: float) -> None:
        """Stores a new approval; an OA one gets the next number of its day."""
        if approval.kind == OA:
            approval.sp_no = self._next_number(approval.applied_at)
        approval.id = self._store.insert(
            "approvals",
            kind=approval.kind,
            sp_no=approval.sp_no,
            third_no=approval.third_no,
            template_id=approval.template_id,
            name=approval.name,
            creator=approval.creator,
            department=approval.department,
            status=approval.status,
            applied_at=approval.applied_at,
            changed_at=now,
            quiet=approval.quiet,
            doc=_document(approval),
        )
        for text in form_texts(approval):
            self._store.insert("form_texts", approval_id=approval.id, text=text)
        self._write_people(approval)

    def save(self, approval: Approval, now: float) -> None:
        self._store.execute(
            "UPDATE approvals SET status = ?, changed_at = ?, doc = ? WHERE id = ?",
            approval.status,
            now,
            _document(approval),
            approval.id,
        )
        self._store.execute("DELETE FROM people WHERE approval_id = ?", approval.id)
        self._write_people(approval)

    def by_sp_no(self, sp_no: str) -> Approval | None:
        return _read(self._store.row("SELECT * FROM approvals WHERE sp_no = ?", sp_no))

    def by_engine_number(self, third_no: str) -> Approval | None:
        return _read(self._store.row("SELECT * FROM approvals WHERE kind = 'engine' AND third_no = ?", third_no))

    def find(self, key: str) -> Approval | None:
        """By ``sp_no``, by an engine's ``third_no``, or by a text in the form; the newest when several match."""
        return self.by_sp_no(key) or self.by_engine_number(key) or next(iter(self.search(third_no=key, limit=1)), None)

    def search(
        self,
        *,
        status: int | None = None,
        third_no: str = "",
        creator: str = "",
        person: tuple[str, str] | None = None,
        limit: int = 100,
    ) -> list[Approval]:
        """Newest first. ``person`` is (userid, part) with part ``todo``, ``done`` or ``copy``."""
        where: list[str] = ["1"]
        values: list[str | int] = []
        if status is not None:
            where.append("status = ?")
            values.append(status)
        if third_no:
            where.append("(third_no = ? OR id IN (SELECT approval_id FROM form_texts WHERE text = ?))")
            values += [third_no, third_no]
        if creator:
            where.append("creator = ?")
            values.append(creator)
        if person:
            where.append("id IN (SELECT approval_id FROM people WHERE userid = ? AND part = ?)")
            values += list(person)
        condition = " AND ".join(where)
        statement = f"SELECT * FROM approvals WHERE {condition} ORDER BY id DESC LIMIT ?"  # noqa: S608
        rows = self._store.rows(statement, *values, limit)
        return [approval for row in rows if (approval := _read(row))]

    def count_todo(self) -> dict[str, int]:
        """How many forms wait for each member."""
        rows = self._store.rows("SELECT userid, count(*) AS total FROM people WHERE part = 'todo' GROUP BY userid")
        return {row["userid"]: row["total"] for row in rows}

    def _write_people(self, approval: Approval) -> None:
        parts = {(userid, "todo") for userid in approval.waiting_for}
        for node in approval.nodes:
            for person in node["people"]:
                if node["type"] == flow.COPY:
                    parts.add((person["userid"], "copy"))
                elif person["at"]:
                    parts.add((person["userid"], "done"))
        for userid, part in parts:
            self._store.insert("people", userid=userid, part=part, approval_id=approval.id)

    def _next_number(self, applied_at: int) -> str:
        day = datetime.fromtimestamp(applied_at, CHINA).strftime("%Y%m%d")
        self._store.execute(
            "INSERT INTO sequences (day, last) VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET last = last + 1", day
        )
        last = self._store.number("SELECT last FROM sequences WHERE day = ?", day)
        return f"{day}{last:04d}"


def form_texts(approval: Approval) -> list[str]:
    """The single-line texts of the form, one of which carries the product's own number."""
    return [
        content["value"]["text"]
        for content in approval.contents
        if content["control"] == "Text" and content["value"].get("text")
    ]


def _document(approval: Approval) -> str:
    document = {
        "nodes": approval.nodes,
        "contents": approval.contents,
        "summary": approval.summary,
        "comments": approval.comments,
    }
    return json.dumps(document, ensure_ascii=False)


def _read(row: sqlite3.Row | None) -> Approval | None:
    if row is None:
        return None
    return Approval(
        id=row["id"],
        kind=row["kind"],
        sp_no=row["sp_no"],
        third_no=row["third_no"],
        template_id=row["template_id"],
        name=row["name"],
        creator=row["creator"],
        department=row["department"],
        status=row["status"],
        applied_at=row["applied_at"],
        quiet=bool(row["quiet"]),
        **json.loads(row["doc"]),
    )
