"""The library's own API: ``GET /projects?types=presale,sales&page=1&page_size=500`` and ``GET /projects/{id}``.

With ``Authorization: Bearer <key>``. A list is ``{"projects": [...], "page", "page_size", "total"}``.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import unquote

from config.standin.faults import Fault
from config.standin.web import Request, Response, json_response
from projects.standin import faults
from projects.standin.faults import LIST, SINGLE
from projects.standin.words import TYPES

if TYPE_CHECKING:
    from projects.standin.world import World

PATH = "/projects"
USUAL_PAGE_SIZE = 100
LARGEST_PAGE = 2000


def respond(world: World, request: Request) -> Response:
    single = request.path.removeprefix(PATH).removeprefix("/")
    page = _whole(request, "page", 1)
    met = faults.strike(world.faults, SINGLE if single else LIST, page)
    faults.before(met)
    response = _answer(world, request, unquote(single), page, met)
    world.count(SINGLE if single else LIST, response.status)
    return faults.spoiled(met, response)


def _answer(world: World, request: Request, single: str, page: int, met: dict[str, Fault]) -> Response:
    if request.method != "GET":
        return json_response({"error": "only GET is known here"}, 405)
    if not hmac.compare_digest(request.authorization.encode(), f"Bearer {world.options.key}".encode()):
        return json_response({"error": "the key is not valid"}, 401)
    if single:
        body = world.library.body(single)
        return Response(body) if body is not None else json_response({"error": "there is no such project"}, 404)
    return _list(world, request, page, met)


def _list(world: World, request: Request, page: int, met: dict[str, Fault]) -> Response:
    wanted = [kind for kind in request.query.get("types", "").split(",") if kind]
    types = [kind for kind in wanted if kind in TYPES]
    total = world.library.count(types) if types or not wanted else 0
    if "few" in met:
        total = min(total, met["few"].parameters["size"])
    if "bare_array" in met:
        return Response(b"[" + b",".join(world.library.page(types, 0, total)) + b"]")
    size = min(_whole(request, "page_size", USUAL_PAGE_SIZE), LARGEST_PAGE)
    first = (page - 1) * size
    bodies = world.library.page(types, first, max(0, min(size, total - first)))
    if "half_page" in met:
        bodies = bodies[: len(bodies) // 2]
    tail = f'],"page":{page},"page_size":{size},"total":{total}}}'
    return Response(b'{"projects":[' + b",".join(bodies) + tail.encode())


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return max(1, int(text)) if text.isdecimal() else default
