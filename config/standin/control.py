"""``/standin/api``: what tests and benches drive a stand-in with. JSON in, JSON out.

An error is ``{"error": "sentence"}`` with its HTTP status. Every stand-in has the routes of the fault switches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import unquote

from config.standin.errors import ControlError
from config.standin.faults import Faults
from config.standin.web import Request, Response, json_response

PREFIX = "/standin/api/"
MOST_ROWS = 1000
Handler = Callable[..., Any]


class HasFaults(Protocol):
    faults: Faults


World = TypeVar("World", bound=HasFaults)


class Control(Generic[World]):
    """``routes``: method, pattern of the path after the prefix, and a function of world, request and named groups."""

    def __init__(self, routes: Iterable[tuple[str, str, Handler]]) -> None:
        self._routes = [
            (method, re.compile(pattern), handler) for method, pattern, handler in (*routes, *_FAULT_ROUTES)
        ]

    def respond(self, world: World, request: Request) -> Response:
        """Raises ControlError 404 or 405, and whatever the route's function raises."""
        path = request.path.removeprefix(PREFIX)
        known = False
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match and method == request.method:
                groups = {name: unquote(value) for name, value in match.groupdict().items()}
                return json_response(handler(world, request, **groups))
            known = known or bool(match)
        raise ControlError(405 if known else 404, f"no such call: {request.method} {request.path}")


def number(value: Any, name: str) -> int:
    """Raises ControlError 400."""
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise ControlError(400, f"{name}: {value!r} is not a number") from error


def row_limit(request: Request, default: int) -> int:
    """The query's ``limit``."""
    return min(number(request.query.get("limit") or default, "limit"), MOST_ROWS)


def list_faults(world: HasFaults, request: Request) -> Any:
    kinds = {name: {"about": kind.about, **kind.parameters} for name, kind in world.faults.kinds.items()}
    return {"faults": [fault.as_json() for fault in world.faults.all()], "kinds": kinds}


def add_fault(world: HasFaults, request: Request) -> Any:
    return world.faults.add(request.json()).as_json()


def remove_faults(world: HasFaults, request: Request) -> Any:
    world.faults.remove()
    return {"faults": []}


def remove_fault(world: HasFaults, request: Request, fault: str) -> Any:
    world.faults.remove(int(fault))
    return {"faults": [fault.as_json() for fault in world.faults.all()]}


_FAULT_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", r"faults", list_faults),
    ("POST", r"faults", add_fault),
    ("DELETE", r"faults", remove_faults),
    ("DELETE", r"faults/(?P<fault>\d+)", remove_fault),
)
