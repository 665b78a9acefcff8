"""A library that sends what a test says."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from projects.models import ProjectCache, RemoteSource
from projects.sync.apply import apply_one
from wecom.tests.peers import Peer, Raw, Received, Script


def project(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A project as a library gives it."""
    return {
        "id": f"P-{number}",
        "type": "sales",
        "title": f"Pump {number}",
        "status": "pending",
        "customer_name": "华东机电",
        "phone": "13812348888",
        "updated_at": "2026-01-05T08:30:00+08:00",
        "stakeholders": [
            {"role": "customer", "user_id": "C-1", "name": "王芳", "phone": "13812348888"},
            {"role": "salesman", "user_id": "S-1", "name": "李梅", "wecom_userid": "li.mei", "phone": "13900001111"},
        ],
        "contact_phone": "13700002222",
        "device": "CNC-7",
        **fields,
    }


def listing(*projects: dict[str, Any]) -> dict[str, Any]:
    """A library's answer: all it has, on one page."""
    return {"projects": list(projects), "page": 1, "page_size": 500, "total": len(projects)}


class LibraryPeer(Peer):
    """A library that has what is scripted: of every other project it says that there is none."""

    def take(self, request: Received) -> Script:
        with self._lock:
            known = bool(self._scripts[request.endpoint])
        return super().take(request) if known else Raw(404)


def source_at(library: Peer, slug: str = "main") -> RemoteSource:
    return RemoteSource.objects.create(slug=slug, name=slug.title(), base_url=library.url, api_key="library-key-secret")


def copied(source: RemoteSource, item: dict[str, Any]) -> ProjectCache:
    """A copy confirmed this moment."""
    return apply_one(source, item, now=timezone.now())
