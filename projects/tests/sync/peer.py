"""A remote library for tests: a real HTTP server with the rules of DESIGN, and faults where the test wants them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from projects.models import RemoteSource
from wecom.tests.peers import Peer, Raw, Received

HTML = Raw(200, b"<!doctype html><title>Log in</title>", {"Content-Type": "text/html"})
KEY = "library-key-1"


def project(number: int | str, **fields: Any) -> dict[str, Any]:
    """One item as a library gives it."""
    customer = {"role": "customer", "user_id": "c1", "name": "周女士", "phone": "13812348888"}
    return {
        "id": f"P-{number}",
        "type": "sales",
        "title": f"水泵 {number}",
        "status": "pending",
        "customer_name": "华东机电",
        "phone": "13812348888",
        "updated_at": "2026-02-02T15:30:00+08:00",
        "stakeholders": [
            {**customer, "email": "zhou@example.com"},
            {"role": "salesman", "user_id": "s1", "name": "李梅", "wecom_userid": "li.mei"},
        ],
        "amount": "3601.50",
        **fields,
    }


class PeerLibrary(Peer):
    """``projects``: what it has now, by ID. ``faults``: page number → what it answers instead. ``hook`` sees every
    request for a list before it is answered."""

    def __init__(self) -> None:
        super().__init__()
        self.projects: dict[str, Any] = {}
        self.faults: dict[int, Any] = {}
        self.hook: Callable[[int], object] = lambda _page: None
        self.bare = self.silent = False
        """``bare``: answers arrays. ``silent``: announces neither page nor total."""
        self.asked: list[int] = []

    def have(self, *items: dict[str, Any]) -> None:
        self.projects = {item["id"]: item for item in items}

    def change(self, number: int | str, **fields: Any) -> None:
        self.projects[f"P-{number}"] = {**self.projects[f"P-{number}"], **fields}

    def take(self, request: Received) -> Any:
        with self._lock:
            self.received.append(request)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return Raw(401, b'{"detail": "no"}')
        if request.endpoint == "/projects":
            return self._list(request)
        item = self.projects.get(unquote(request.endpoint.removeprefix("/projects/")))
        return Raw(404, b'{"detail": "not found"}') if item is None else item

    def _list(self, request: Received) -> Any:
        page, size = int(request.query["page"]), int(request.query["page_size"])
        self.asked.append(page)
        self.hook(page)
        if page in self.faults:
            return self.faults[page]
        types = request.query["types"].split(",")
        listed = [item for item in self.projects.values() if item["type"] in (*types, "?")]
        if self.bare:
            return listed
        part = listed[(page - 1) * size : page * size]
        if self.silent:
            return {"projects": part}
        return {"projects": part, "page": page, "page_size": size, "total": len(listed)}


def source_of(library: PeerLibrary, **fields: Any) -> RemoteSource:
    values = {"slug": "default", "name": "Library", "base_url": library.url, "api_key": KEY, "page_size": 2, **fields}
    return RemoteSource.objects.create(**values)
