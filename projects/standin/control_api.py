"""``/standin/api`` of the library: what tests and benches change it with.

A project is sent and answered as the library's own API shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.standin.control import Control, number, row_limit
from config.standin.errors import ControlError
from config.standin.web import Request

if TYPE_CHECKING:
    from projects.standin.world import World

MOST_AT_ONCE = 1_000_000


def list_projects(world: World, request: Request) -> Any:
    """``q``, ``type``, ``status``, ``limit``; newest first, without the details."""
    query = request.query
    rows = world.library.search(
        query.get("q", ""), query.get("type", ""), query.get("status", ""), limit=row_limit(request, 100)
    )
    return {"projects": [dict(row) for row in rows], "total": world.library.count()}


def add_project(world: World, request: Request) -> Any:
    """Any fields; the rest is made up."""
    return world.library.add(request.json())


def read_project(world: World, request: Request, key: str) -> Any:
    return world.library.project(key)


def change_project(world: World, request: Request, key: str) -> Any:
    """Sets the given fields; null removes one."""
    return world.library.change(key, request.json())


def remove_project(world: World, request: Request, key: str) -> Any:
    world.library.remove(key)
    return {"removed": key}


def add_many(world: World, request: Request) -> Any:
    return {"added": world.library.add_many(_count(request.json()))}


def change_many(world: World, request: Request) -> Any:
    """``count`` projects spread over the library get the fields of ``changes``, or go one state further."""
    body = request.json()
    changes = body.get("changes", {})
    if not isinstance(changes, dict):
        raise ControlError(400, "changes must be a JSON object")
    return {"changed": world.library.change_many(_count(body), changes)}


def remove_many(world: World, request: Request) -> Any:
    """The ``count`` newest."""
    return {"removed": world.library.remove_many(_count(request.json()))}


def reset(world: World, request: Request) -> Any:
    """``count`` projects as on the first day; faults are off."""
    world.reset(_count(request.json()))
    return {"projects": world.library.count()}


def stats(world: World, request: Request) -> Any:
    """``calls``: answers by endpoint (``list``, ``single``) and HTTP status since the start."""
    return {"projects": world.library.count(), "calls": world.calls()}


def _count(body: dict[str, Any]) -> int:
    count = number(body.get("count"), "count")
    if not 0 <= count <= MOST_AT_ONCE:
        raise ControlError(400, f"count must lie between 0 and {MOST_AT_ONCE}")
    return count


CONTROL = Control["World"](
    (
        ("GET", r"projects", list_projects),
        ("POST", r"projects", add_project),
        ("GET", r"projects/(?P<key>[^/]+)", read_project),
        ("POST", r"projects/(?P<key>[^/]+)", change_project),
        ("DELETE", r"projects/(?P<key>[^/]+)", remove_project),
        ("POST", r"bulk/add", add_many),
        ("POST", r"bulk/change", change_many),
        ("POST", r"bulk/remove", remove_many),
        ("POST", r"reset", reset),
        ("GET", r"stats", stats),
    )
)
