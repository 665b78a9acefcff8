"""Fault switches: what is to go wrong, at which endpoint, and how many times.

A fault stays until it is switched off, or until it was used ``count`` times. Several may be on at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wecom.standin.errors import ControlError
from wecom.standin.store import Store

EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """``parameters`` names what may be set, with the default that also fixes its type."""

    label: str | Promise
    parameters: Mapping[str, int | float | bool | str]
    about: str = "answer"  # "answer" takes an endpoint as its filter, "callback" the name of an event


FAULT_KINDS: dict[str, FaultKind] = {
    "callback_drop": FaultKind(_("Drop callbacks"), {}, "callback"),
    "callback_duplicate": FaultKind(_("Send each callback several times"), {"times": 2}, "callback"),
    "callback_delay": FaultKind(_("Delay callbacks"), {"seconds": 5.0}, "callback"),
    "callback_reorder": FaultKind(_("Collect callbacks and send them in reverse order"), {"size": 2}, "callback"),
    "callback_hold": FaultKind(_("Hold callbacks until they are released"), {}, "callback"),
    "callback_retry_refused": FaultKind(_("Repeat callbacks that were not answered with 200"), {}, "callback"),
    "event_before_response": FaultKind(_("Deliver the event before the submission is answered"), {}),
    "errcode": FaultKind(_("Answer with an error code"), {"errcode": -1, "effect": False}),
    "http_status": FaultKind(_("Answer with an HTTP error page"), {"status": 502}),
    "close_before": FaultKind(_("Close the connection before accepting the call"), {}),
    "close_after": FaultKind(_("Close the connection after accepting the call: the answer is lost"), {}),
    "slow": FaultKind(_("Answer slowly"), {"seconds": 3.0, "moment": "after"}),
    "short_pages": FaultKind(_("Return half-filled pages of approval numbers"), {}),
    "wrong_secret": FaultKind(_("Treat the app's secret as wrong"), {}),
}


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
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, request: Mapping[str, Any]) -> Fault:
        """Switches a fault on. Raises ControlError 400 for an unknown kind or an unreadable parameter."""
        kind = str(request.get("kind", ""))
        if kind not in FAULT_KINDS:
            raise ControlError(400, f"unknown fault {kind!r}; known are {', '.join(FAULT_KINDS)}")
        parameters = {
            name: _like(default, request.get(name, default), name)
            for name, default in FAULT_KINDS[kind].parameters.items()
        }
        count = request.get("count")
        number = self._store.insert(
            "faults",
            kind=kind,
            endpoint=str(request.get("endpoint") or EVERYWHERE).removeprefix("/cgi-bin/"),
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
        with self._store.transaction():
            for fault in self.all():
                if fault.kind == kind and fault.endpoint in (EVERYWHERE, endpoint):
                    self._store.execute(
                        "UPDATE faults SET used = used + 1, remaining = remaining - 1 WHERE id = ?", fault.id
                    )
                    return fault
        return None


def _like(default: int | float | bool | str, value: Any, name: str) -> int | float | bool | str:
    """``value`` in the type of ``default``; forms send everything as text."""
    try:
        if isinstance(default, bool):
            return value in (True, 1, "1", "true", "on")
        return type(default)(value)
    except (TypeError, ValueError) as error:
        raise ControlError(400, f"{name}: {value!r} is not a {type(default).__name__}") from error
