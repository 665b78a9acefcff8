"""The lists of admin and API, and what runs look for, are found by index: read from PostgreSQL's plans."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from projects.models import (
    ProjectAccessLog,
    ProjectAccessToken,
    ProjectCache,
    ProjectStatusChange,
    ProjectSyncHistory,
    RemoteSource,
    RunStatus,
)

pytestmark = [
    pytest.mark.django_db,
]
ROWS = 20_000
RARE = 200
"""One row in so many is of the kind that is looked for: an index over everything would be the longer way."""
SCAN = re.compile(r"Seq Scan on projects_project(cache|sync|status|access)")
SORT = re.compile(r"(?<!Incremental )Sort  ")
"""A page must not need everything sorted; ties within a moment may be."""
NOW = timezone.now()
TTL = timedelta(minutes=30)


def small() -> RemoteSource:
    return RemoteSource.objects.get(slug="small")


QUERIES: dict[str, tuple[Callable[[], QuerySet[Any]], str]] = {
    "projects, newest change first": (
        lambda: ProjectCache.objects.order_by("-changed_at", "-id")[:100],
        "projects_cache_newest",
    ),
    "projects of a type": (
        lambda: ProjectCache.objects.filter(type="presale").order_by("-changed_at", "-id")[:100],
        "projects_cache_type",
    ),
    "projects of a status": (
        lambda: ProjectCache.objects.filter(status="shipped").order_by("-changed_at", "-id")[:100],
        "projects_cache_status",
    ),
    "a project by its ID": (lambda: ProjectCache.objects.filter(remote_id="P-77"), "remote_id"),
    "a page's projects": (
        lambda: ProjectCache.objects.filter(remote_id__in=[f"P-{number}" for number in range(500)]),
        "remote_id",
    ),
    "copies that the purge may delete": (
        lambda: ProjectCache.objects.past_grace(now=NOW),
        "projects_cache_removed",
    ),
    "runs, newest first": (lambda: ProjectSyncHistory.objects.all()[:20], "projects_run_newest"),
    "a source's runs": (
        lambda: ProjectSyncHistory.objects.filter(source=small())[:20],
        "projects_run_source",
    ),
    "the open run of a source": (
        lambda: ProjectSyncHistory.objects.filter(source=small(), status__in=("pending", "running")),
        "projects_one_open_run",
    ),
    "status changes, newest first": (lambda: ProjectStatusChange.objects.all()[:100], "projects_change_newest"),
    "a project's status changes": (
        lambda: ProjectStatusChange.objects.filter(remote_id="P-77").order_by("-at")[:20],
        "projects_change_project",
    ),
    "links, newest first": (lambda: ProjectAccessToken.objects.all()[:100], "projects_token_newest"),
    "links that end soon": (
        lambda: ProjectAccessToken.objects.expiring(within=timedelta(minutes=3), now=NOW),
        "projects_token_expiry",
    ),
    "a link by its digest": (lambda: ProjectAccessToken.objects.filter(digest="d77"), "digest"),
    "the access log, newest first": (lambda: ProjectAccessLog.objects.all()[:100], "projects_access_newest"),
    "a project's accesses": (
        lambda: ProjectAccessLog.objects.filter(remote_id="P-77").order_by("-at")[:20],
        "projects_access_project",
    ),
}


@pytest.fixture
def full_tables(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("plans of PostgreSQL")
    source = RemoteSource.objects.create(slug="default", name="Library", base_url="http://127.0.0.1:1")
    other = RemoteSource.objects.create(slug="small", name="Small", base_url="http://127.0.0.1:2")
    moments = [NOW - timedelta(minutes=number) for number in range(ROWS)]
    copies = ProjectCache.objects.bulk_create(
        ProjectCache(
            remote_id=f"P-{number}",
            source=source,
            type="presale" if number % RARE == 7 else "sales",
            title="水泵",
            status="shipped" if number % RARE == 9 else "pending",
            document="{}",
            content_hash="0",
            fetched_at=moment,
            changed_at=moment,
            removed_at=moment if number % RARE == 0 else None,
        )
        for number, moment in enumerate(moments)
    )
    ProjectSyncHistory.objects.bulk_create(
        ProjectSyncHistory(source=other if number % 10 == 0 else source, status=RunStatus.SUCCESS, created_at=moment)
        for number, moment in enumerate(moments)
    )
    ProjectStatusChange.objects.bulk_create(
        ProjectStatusChange(remote_id=copy.remote_id, title="", type=copy.type, at=copy.changed_at) for copy in copies
    )
    ProjectAccessToken.objects.bulk_create(
        ProjectAccessToken(
            digest=f"d{number}", project=copy, created_at=copy.changed_at, expires_at=NOW + timedelta(minutes=number)
        )
        for number, copy in enumerate(copies)
    )
    ProjectAccessLog.objects.bulk_create(
        ProjectAccessLog(at=copy.changed_at, remote_id=copy.remote_id, outcome="allowed") for copy in copies
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def test_lists_are_read_by_index(full_tables: None) -> None:
    wrong = {}
    for name, (query, index) in QUERIES.items():
        plan = query().explain()
        if index not in plan or SCAN.search(plan) or ("Limit" in plan and SORT.search(plan)):
            wrong[name] = plan
    assert not wrong, "\n\n".join(f"{name}:\n{plan}" for name, plan in wrong.items())


def test_expired_and_expiring_copies_are_not_sought_among_all(full_tables: None) -> None:
    """A source that was confirmed lately makes its copies current, whenever each was fetched."""
    source = RemoteSource.objects.get(slug="default")
    source.confirmed_at = NOW
    source.save()
    assert not ProjectCache.objects.expired(TTL, now=NOW).exists()
    source.confirmed_at = None
    source.save()
    current = 30  # those of the last half hour, and one of them is gone
    assert ProjectCache.objects.expired(TTL, now=NOW).count() == ROWS - ROWS // RARE - current
