"""A library that answers over HTTP, a project in the mirror, and links to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.utils import timezone

from projects.access_log import AccessLog
from projects.asking import Marks
from projects.models import ProjectAccessToken, ProjectCache, ProjectStatusChange, RemoteSource
from projects.sync.apply import apply_one
from projects.throttling import Budgets
from projects.tokens import Issued, issue
from wecom.tests.peers import Peer, Raw, Received, Script

MORNING = datetime(2026, 2, 2, 1, 30, tzinfo=UTC)
"""09:30 in Shanghai."""


@pytest.fixture(autouse=True)
def _alone_in_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else has used the budget or found Redis away, and looks are written when the test says so: not by a
    thread, later."""
    monkeypatch.setattr("projects.door.budgets", Budgets())
    monkeypatch.setattr("projects.access_log._log", AccessLog(write_every=None))
    fresh = Marks()
    monkeypatch.setattr("projects.asking.marks", fresh)
    monkeypatch.setattr("projects.refresh.marks", fresh)


class Library(Peer):
    """A remote library with what is in ``projects``; out of order while it is ``down``."""

    def __init__(self) -> None:
        self.projects: dict[str, dict[str, Any]] = {}
        self.down = False
        super().__init__()

    @property
    def asked(self) -> int:
        return len(self.received)

    def take(self, request: Received) -> Script:
        self.received.append(request)
        project = self.projects.get(unquote(request.endpoint.rpartition("/")[2]))
        return Raw(500) if self.down else project or Raw(404)


@pytest.fixture
def library() -> Iterator[Library]:
    server = Library()
    yield server
    server.close()


@pytest.fixture
def source(library: Library, request: pytest.FixtureRequest) -> RemoteSource:
    request.getfixturevalue("transactional_db" if "live_server" in request.fixturenames else "db")
    return RemoteSource.objects.create(slug="main", name="Main", base_url=library.url, api_key="key")


SALES = {
    "id": "SO-1",
    "type": "sales",
    "title": "二期厂房板式换热器采购",
    "status": "shipped",
    "customer_name": "苏州精工机械有限公司",
    "phone": "13812348888",
    "updated_at": "2026-02-02T09:30:00+08:00",
    "product": "板式换热器 BR06",
    "quantity": 12,
    "payment_time": "2026-02-01T16:20:00+08:00",
    "tracking_number": "SF140099887766",
    "rack_unit": {"位置": "B-12", "层": 3},
    "stakeholders": [
        {"role": "customer", "user_id": "C1", "name": "王芳", "phone": "13812348888"},
        {"role": "salesman", "user_id": "li.mei", "name": "李梅", "wecom_userid": "li.mei"},
        {"role": "engineer", "user_id": "he.engineer", "name": "何涛"},
    ],
}


@pytest.fixture
def copied(library: Library, source: RemoteSource) -> Callable[..., ProjectCache]:
    """A project that is in the library and, confirmed ``ago``, in the mirror: SALES with ``fields``."""

    def copy(ago: timedelta = timedelta(minutes=5), **fields: Any) -> ProjectCache:
        item = library.projects[fields.get("id", "SO-1")] = SALES | fields
        return apply_one(source, item, now=timezone.now() - ago)

    return copy


@pytest.fixture
def project(copied: Callable[..., ProjectCache]) -> ProjectCache:
    """Shipped today, after two other states."""
    row = copied()
    for place, (old, new) in enumerate([("pending", "processing"), ("processing", "shipped")]):
        ProjectStatusChange.objects.create(
            project=row,
            remote_id=row.remote_id,
            title=row.title,
            type=row.type,
            old_status=old,
            new_status=new,
            at=MORNING + timedelta(hours=place),
        )
    return row


@pytest.fixture
def link(project: ProjectCache) -> Issued:
    return issue(project, user_id="C1", user_name="王芳", access_type="customer")


@pytest.fixture
def expired(project: ProjectCache) -> Issued:
    """A link whose time was over an hour ago."""
    issued = issue(project, user_id="C1", user_name="王芳", access_type="customer")
    ProjectAccessToken.objects.filter(pk=issued.row.pk).update(expires_at=timezone.now() - timedelta(hours=1))
    return issued
