"""Fault switches: what is to go wrong, at which endpoint, and how many times.

A fault stays until it is switched off, or until it was used ``count`` times. Several may be on at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from config.standin.errors import ControlError
from config.standin.store import Store

EVERYWHERE = "*"
SCHEMA = """
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    remaining INTEGER,
    used INTEGER NOT NULL DEFAULT 0,
    parameters TEXT NOT NULL
);
"""
"""Part of the schema of every stand-in."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """``parameters`` names what may be set, with the default that also fixes its type."""

    label: str | Promise
    parameters: Mapping[str, int | float | bool | str]
    about: str = "answer"
    """The group it stands in on the page."""


@dataclass(frozen=True, slots=True)
class Fault:
    id: int
    kind: str
    endpoint: str
    remaining: int | None
    used: int
    parameters: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "endpoint": self.endpoint,
            "remaining": self.remaining,
            "used": self.used,
            **self.parameters,
        }


class Faults:
    """``kinds`` are those of one stand-in. ``prefix`` may stand before the name of an endpoint and is left out."""

    def __init__(self, store: Store, kinds: Mapping[str, FaultKind], *, prefix: str = "") -> None:
        self._store = store
        self.kinds = kinds
        self._prefix = prefix

    def add(self, request: Mapping[str, Any]) -> Fault:
        """Switches a fault on. Raises ControlError 400 for an unknown kind or an unreadable parameter."""
        kind = str(request.get("kind", ""))
        if kind not in self.kinds:
            raise ControlError(400, f"unknown fault {kind!r}; known are {', '.join(self.kinds)}")
        parameters = {
            name: _like(default, request.get(name, default), name)
            for name, default in self.kinds[kind].parameters.items()
        }
        count = request.get("count")
        number = self._store.insert(
            "faults",
            kind=kind,
            endpoint=str(request.get("endpoint") or EVERYWHERE).removeprefix(self._prefix),
            remaining=None if count in (None, "") else _like(1, count, "count"),
            parameters=json.dumps(parameters),
        )
        return next(fault for fault in self.all() if fault.id == number)

    def all(self) -> list[Fault]:
        """The faults that are still on, oldest first."""
        rows = self._store.rows("SELECT * FROM faults WHERE remaining IS NULL OR remaining > 0 ORDER BY id")
        return [
            Fault(row["id"], row["kind"], row["endpoint"], row["remaining"], row["used"], json.loads(row["parameters"]))
            for row in rows
        ]

    def remove(self, number: int | None = None) -> None:
        """Switches one fault off, or all of them."""
        if number is None:
            self._store.execute("DELETE FROM faults")
        else:
            self._store.execute("DELETE FROM faults WHERE id = ?", number)

    def use(self, kind: str, endpoint: str) -> Fault | None:
        """The oldest matching fault, counted as used once; None when the switch is off."""
        return self.meet(lambda fault: fault.kind == kind and fault.endpoint in (EVERYWHERE, endpoint)).get(kind)

    def meet(self, matches: Callable[[Fault], bool]) -> dict[str, Fault]:
        """The matching faults by kind, the oldest of each, each counted as used once."""
        met: dict[str, Fault] = {}
        with self._store.transaction():
            for fault in self.all():
                if fault.kind not in met and matches(fault):
                    self._store.execute(
                        "UPDATE faults SET used = used + 1, remaining = remaining - 1 WHERE id = ?", fault.id
                    )
                    met[fault.kind] = fault
        return met


def _like(default: int | float | bool | str, value: Any, name: str) -> int | float | bool | str:
    """``value`` in the type of ``default``; forms send everything as text."""
    try:
        if isinstance(default, bool):
            return value in (True, 1, "1", "true", "on")
        return type(default)(value)
    except (TypeError, ValueError) as error:
        raise ControlError(400, f"{name}: {value!r} is not a {type(default).__name__}") from error
