from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.models import Notification
from projects import tokens
from projects.models import (
    AccessOutcome,
    ProjectAccessLog,
    ProjectCache,
    ProjectStatusChange,
    ProjectSyncConfig,
    ProjectSyncHistory,
    RemoteSource,
    RunStatus,
    TimeDisplayConfig,
)
from projects.telling import ABOUT
from projects.tests.staff import LibraryPeer, copied, listing, project, source_at
from wecom.tests.peers import Peer


@pytest.fixture
def library() -> Iterator[Peer]:
    """A real server; it has one project until the test says otherwise."""
    peer = LibraryPeer()
    peer.answer("/projects", listing(project(1)))
    peer.answer("/projects/P-1", project(1))
    yield peer
    peer.close()


@pytest.fixture
def source(db: None, library: Peer) -> RemoteSource:
    return source_at(library)


@pytest.fixture
def copy(source: RemoteSource) -> ProjectCache:
    return copied(source, project(1))


@pytest.fixture
def everything(copy: ProjectCache) -> dict[str, Any]:
    """One row for each page."""
    now = timezone.now()
    run = ProjectSyncHistory.objects.create(
        source=copy.source,
        status=RunStatus.PARTIAL,
        started_at=now - timedelta(seconds=5.6),
        finished_at=now,
        message="The library <b>stopped</b> answering.",
    )
    change = ProjectStatusChange.objects.create(
        run=run,
        project=copy,
        remote_id="P-1",
        title=copy.title,
        type=copy.type,
        old_status="pending",
        new_status="shipped",
        notices=1,
    )
    Notification.objects.create(
        key="n1", event="project.status_changed", channel="wechat", address="li.mei", language="en", body="b",
        about=f"{ABOUT}{change.pk}",
    )  # fmt: skip
    issued = tokens.issue(copy, user_id="C-1", user_name="王芳", access_type="customer")
    look = ProjectAccessLog.objects.create(
        token=issued.row, remote_id="P-1", person="王芳", access_type="customer", door="page",
        outcome=AccessOutcome.ALLOWED, address="203.0.113.7", agent="<b>browser</b>",
    )  # fmt: skip
    return {
        "remotesource": copy.source,
        "projectcache": copy,
        "projectsynchistory": run,
        "projectstatuschange": change,
        "projectaccesstoken": issued.row,
        "projectaccesslog": look,
        "projectsyncconfig": ProjectSyncConfig.load(),
        "timedisplayconfig": TimeDisplayConfig.load(),
        "token": issued.token,
    }
