"""The projects and their order. Pages are put together from ready bodies: a hundred thousand are listed in seconds."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from config.standin.errors import ControlError
from config.standin.store import Store
from projects.standin.made_up import CHINA, made_up_project
from projects.standin.words import TYPES, next_status

COLUMNS = ("id", "type", "status", "title", "customer_name", "body")
SHOWN = ("id", "type", "status", "title", "customer_name")


class Library:
    """``clock`` returns Unix seconds. Projects keep the order in which they came."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._order: dict[tuple[str, ...], array[int]] = {}

    def count(self, types: Sequence[str] = ()) -> int:
        return len(self._places(types))

    def page(self, types: Sequence[str], first: int, size: int) -> list[bytes]:
        """At most ``size`` bodies of these types (empty: of all), from the ``first``-th on (0 is the first)."""
        places = self._places(types)[first : first + size]
        if not places:
            return []
        marks, kinds = ", ".join("?" * len(types)), "AND type IN ({})" if types else ""
        sql = f"SELECT body FROM projects WHERE place BETWEEN ? AND ? {kinds.format(marks)} ORDER BY place"  # noqa: S608
        return [row["body"] for row in self._store.rows(sql, places[0], places[-1], *types)]

    def body(self, project_id: str) -> bytes | None:
        row = self._store.row("SELECT body FROM projects WHERE id = ?", project_id)
        return row["body"] if row else None

    def project(self, project_id: str) -> dict[str, Any]:
        """Raises ControlError 404."""
        body = self.body(project_id)
        if body is None:
            raise ControlError(404, f"there is no project {project_id!r}")
        return dict(json.loads(body))

    def search(self, text: str = "", kind: str = "", status: str = "", *, limit: int, first: int = 0) -> list[Any]:
        """Rows of SHOWN, newest first, whose ID, title or customer contains ``text``."""
        pattern = "%" + text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        sql = (
            f"SELECT {', '.join(SHOWN)} FROM projects WHERE (? = '' OR type = ?) AND (? = '' OR status = ?) "  # noqa: S608
            r"AND (id LIKE ? ESCAPE '\' OR title LIKE ? ESCAPE '\' OR customer_name LIKE ? ESCAPE '\') "
            "ORDER BY place DESC LIMIT ? OFFSET ?"
        )
        return self._store.rows(sql, kind, kind, status, status, pattern, pattern, pattern, limit, first)

    def add(self, given: dict[str, Any]) -> dict[str, Any]:
        """A new project; what is not given is made up. Raises ControlError 400 or 409."""
        with self._store.transaction():
            number = self._next_number()
            # the running number decides on the type of a made-up project
            while given.get("type") in TYPES and made_up_project(number)["type"] != given["type"]:
                number += 1
            project = made_up_project(number) | {"status": "pending", "updated_at": self._now()} | given
            _check(project)
            if self.body(project["id"]) is not None:
                raise ControlError(409, f"there is a project {project['id']!r} already")
            self._insert([project])
        return project

    def add_many(self, count: int) -> int:
        with self._store.transaction():
            first = self._next_number()
            self._insert(made_up_project(number) for number in range(first, first + count))
        return count

    def change(self, project_id: str, changes: dict[str, Any]) -> dict[str, Any]:
        """Sets fields; None removes one. Raises ControlError 404 or 400."""
        with self._store.transaction():
            project = self.project(project_id) | {"updated_at": self._now()} | changes | {"id": project_id}
            project = {name: value for name, value in project.items() if value is not None}
            _check(project)
            self._store.execute(
                "UPDATE projects SET type = ?, status = ?, title = ?, customer_name = ?, body = ? WHERE id = ?",
                *_row(project)[1:],
                project_id,
            )
            if "type" in changes:
                self._order.clear()
        return project

    def change_many(self, count: int, changes: dict[str, Any]) -> list[str]:
        """``count`` projects spread over the library; without ``changes`` each goes one state further. Their IDs."""
        with self._store.transaction():
            places = self._places(())
            step = max(1, len(places) // max(1, count))
            changed = []
            for place in places[::step][:count]:
                for row in self._store.rows("SELECT id, type, status FROM projects WHERE place = ?", place):
                    self.change(row["id"], changes or {"status": next_status(row["type"], row["status"])})
                    changed.append(str(row["id"]))
        return changed

    def remove(self, project_id: str) -> None:
        """Raises ControlError 404."""
        with self._store.transaction():
            self.project(project_id)
            self._store.execute("DELETE FROM projects WHERE id = ?", project_id)
            self._order.clear()

    def remove_many(self, count: int) -> int:
        """The newest ones."""
        with self._store.transaction():
            places = self._places(())[-count:] if count > 0 else array("q")
            if places:
                self._store.execute("DELETE FROM projects WHERE place >= ?", places[0])
            self._order.clear()
        return len(places)

    def begin_anew(self, count: int) -> None:
        with self._store.transaction():
            self._store.clear()
            self._order.clear()
            self.add_many(count)

    def _insert(self, projects: Iterable[dict[str, Any]]) -> None:
        self._store.insert_many("projects", COLUMNS, map(_row, projects))
        self._order.clear()

    def _next_number(self) -> int:
        last = self._store.number("SELECT max(CAST(substr(id, instr(id, '-') + 1) AS INTEGER)) FROM projects")
        return last + 1

    def _now(self) -> str:
        return datetime.fromtimestamp(int(self._clock()), CHINA).isoformat()

    def _places(self, types: Sequence[str]) -> array[int]:
        """Primary keys of these types in order, kept until a project comes or goes."""
        with self._store.transaction():
            key = tuple(sorted(types))
            if key not in self._order:
                marks = ", ".join("?" * len(key))
                where = f"WHERE type IN ({marks})" if key else ""
                rows = self._store.rows(f"SELECT place FROM projects {where} ORDER BY place", *key)  # noqa: S608
                self._order[key] = array("q", (row[0] for row in rows))
            return self._order[key]


def _row(project: dict[str, Any]) -> tuple[Any, ...]:
    body = json.dumps(project, ensure_ascii=False, separators=(",", ":")).encode()
    return (*(project[name] for name in SHOWN), body)


def _check(project: Mapping[str, Any]) -> None:
    """Raises ControlError 400 for what this library would not take; statuses and types outside its own are taken."""
    for name in SHOWN:
        if not isinstance(project.get(name), str) or not (project[name] or name == "customer_name"):
            raise ControlError(400, f"{name} must be a text")
    if "/" in project["id"]:
        raise ControlError(400, "id must not contain a slash")
