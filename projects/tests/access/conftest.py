from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from projects.models import ProjectCache, RemoteSource, Role
from projects.sync.apply import apply_one
from projects.tokens import Issued, issue
from wecom.tests.peers import Peer

ITEM: dict[str, Any] = {
    "id": "P-1001",
    "type": "aftersales",
    "title": "主轴更换",
    "status": "processing",
    "customer_name": "杭州精密机械",
    "phone": "13812348888",
    "updated_at": "2026-01-05T08:30:00+08:00",
    "stakeholders": [{"role": "engineer", "name": "张伟", "wecom_userid": "zhang.wei", "phone": "13900001111"}],
    "device": "CNC-7",
}
TTL = timedelta(minutes=30)


@pytest.fixture
def library() -> Iterator[Peer]:
    """The remote library: a real server that answers what the test says."""
    peer = Peer()
    peer.answer("/projects/P-1001", ITEM)
    yield peer
    peer.close()


@pytest.fixture
def source(db: None, library: Peer) -> RemoteSource:
    return RemoteSource.objects.create(slug="main", name="Main", base_url=library.url, api_key="key")


@pytest.fixture
def project(source: RemoteSource) -> ProjectCache:
    """A copy that was confirmed this moment."""
    copy = apply_one(source, ITEM, now=timezone.now())
    copy.source = source
    return copy


@pytest.fixture
def link(project: ProjectCache) -> Issued:
    return issue(project, user_id="C-17", user_name="王芳", access_type=Role.CUSTOMER)


@pytest.fixture
def engineers_link(project: ProjectCache) -> Issued:
    return issue(project, user_id="E-1", user_name="张伟", access_type=Role.ENGINEER)


def confirmed(project: ProjectCache, age: timedelta) -> datetime:
    """Let the copy be ``age`` old."""
    moment = timezone.now() - age
    ProjectCache.objects.filter(pk=project.pk).update(fetched_at=moment)
    return moment


Read = Callable[..., Any]


@pytest.fixture
def read(client: Client) -> Read:
    """Ask the API with a token; ``verify``: only whether it is good."""

    def ask(token: str, remote_id: str = "P-1001", *, verify: bool = False, **query: str) -> Any:
        path = f"/api/projects/{quote(remote_id, safe='')}{'/verify-access' if verify else ''}"
        headers = {"accept-language": "en"}
        return client.get(path, {"token": token, **query}, headers=headers)

    return ask
