"""In a real browser: the live progress bar, the link that is shown once, and no page that breaks the content policy."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.urls import reverse
from django.utils import timezone, translation

from config.testing.admin_browser import Visitor
from projects.models import ProjectAccessToken, ProjectCache, ProjectSyncHistory, RemoteSource, RunStatus
from projects.sync import passage, runs
from projects.tests.staff import listing, project
from wecom.tests.peers import Peer, Received, Script

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ISSUE = "projects.issue_links"


@pytest.fixture(autouse=True)
def _progress_after_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pages share a transaction, and with it their progress, for some time."""
    monkeypatch.setattr(passage, "WRITE_EVERY", 0.0)


@pytest.fixture
def visit(chromium_page: Any, live_server: Any) -> Callable[..., Visitor]:
    return lambda user, language="en": Visitor(chromium_page, live_server, user, language)


def shoot(page: Any, name: str) -> None:
    """With SCREENSHOTS=folder the pages are kept, for somebody to look at them."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


class Steps:
    """A library of four pages, the next of which comes when the test says so."""

    def __init__(self, library: Peer, size: int = 1) -> None:
        self.allowed = threading.Semaphore(0)
        self.total = 4
        library.answer("/projects", self.page)

    def page(self, request: Received) -> Script:
        number = int(request.query["page"])
        assert self.allowed.acquire(timeout=30)
        return {**listing(project(number)), "page": number, "page_size": 1, "total": self.total}

    def allow(self, pages: int = 1) -> None:
        for _page in range(pages):
            self.allowed.release()


def in_a_worker() -> threading.Thread:
    """What a Celery worker does when it is woken."""

    def work() -> None:
        try:
            runs.run_pending()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_bar_follows_a_run_to_its_end(
    source: RemoteSource, library: Peer, admin_user: User, visit: Callable[..., Visitor], language: str
) -> None:
    source.page_size = 1
    source.save()
    steps = Steps(library)
    visitor = visit(admin_user, language)
    visitor.go(reverse("admin:projects_remotesource_sync_page", args=[source.pk]))
    page = visitor.page
    page.click("form button:has-text('Synchronise now'), form button:has-text('立即同步')")
    page.wait_for_selector("#progress[data-open=true]")
    run = ProjectSyncHistory.objects.get()
    worker = in_a_worker()
    steps.allow(2)
    page.wait_for_function("document.querySelector('[data-part=percent]').textContent === '50 %'")
    assert page.locator(".qb-bar").get_attribute("aria-valuenow") == "50"
    shoot(page, f"progress-half-{language}")
    steps.allow(2)
    page.wait_for_selector("#progress[data-open=false]")
    worker.join()
    run.refresh_from_db()
    assert run.status == RunStatus.SUCCESS
    assert page.locator("[data-part=percent]").inner_text() == "100 %"
    assert page.locator("[data-part=message]").inner_text() == run.message
    shoot(page, f"progress-done-{language}")
    assert visitor.complaints == []


@pytest.mark.parametrize(("answered", "status"), [(0, "failed"), (2, "partial")])
def test_the_bar_says_how_a_run_failed(
    source: RemoteSource, library: Peer, admin_user: User, visit: Callable[..., Visitor], answered: int, status: str
) -> None:
    source.page_size = 1
    source.save()
    steps = Steps(library)
    run = runs.open_run(source, sync_type="manual")
    visitor = visit(admin_user)
    visitor.go(reverse("admin:projects_projectsynchistory_change", args=[run.pk]))
    steps.allow(answered)
    worker = in_a_worker()
    if answered:
        visitor.page.wait_for_function("document.querySelector('[data-part=percent]').textContent === '50 %'")
    library.answer("/projects", {"nonsense": True})
    steps.total = -1  # the page that is being waited for is nonsense, too
    steps.allow(1)
    visitor.page.wait_for_selector("#progress[data-open=false]")
    worker.join()
    run.refresh_from_db()
    assert run.status == status
    with translation.override("en"):
        assert visitor.page.locator("[data-part=status]").inner_text() == run.get_status_display()
    assert visitor.page.locator(".qb-progress.qb-warning, .qb-progress.qb-danger").count() == 1
    shoot(visitor.page, f"progress-{status}")
    assert visitor.complaints == []


def test_a_link_is_made_copied_and_can_be_scanned(
    copy: ProjectCache, admin_user: User, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(admin_user)
    page = visitor.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.go(reverse("admin:projects_projectcache_change", args=[copy.pk]))
    shoot(page, "project")
    page.click("text=Make a link")
    page.select_option("#id_stakeholder", label="王芳 (Customer)")
    shoot(page, "link-form")
    page.click("form button:has-text('Make a link')")
    page.wait_for_selector(".qb-qr")
    address = page.locator(".qb-copy code").inner_text()
    assert page.evaluate("document.querySelector('.qb-qr').naturalWidth") > 100
    page.click(".qb-copy-button")
    assert page.evaluate("navigator.clipboard.readText()") == address
    shoot(page, "link-made")
    page.reload()
    assert "shown once" in page.inner_text("body") and page.locator(".qb-qr").count() == 0
    assert ProjectAccessToken.objects.get().user_name == "王芳"
    page.goto(visitor.base + "/project/" + address.split("/project/")[1])
    assert "Pump 1" in page.inner_text("body")
    assert visitor.complaints == []


def test_pages_break_no_policy(everything: dict[str, Any], admin_user: User, visit: Callable[..., Visitor]) -> None:
    now = timezone.now()
    for days in range(20):
        at = now - timedelta(days=days)
        ProjectSyncHistory.objects.bulk_create(
            ProjectSyncHistory(
                source=everything["remotesource"],
                status=RunStatus.FAILED if n == 0 and days % 5 == 0 else RunStatus.SUCCESS,
                created_at=at,
                started_at=at,
                finished_at=at + timedelta(seconds=2 + n + days % 3),
            )
            for n in range(5)
        )
    visitor = visit(admin_user, "zh-hans")
    for model in ("projectcache", "projectaccesstoken", "projectstatuschange", "projectaccesslog", "remotesource"):
        visitor.go(reverse(f"admin:projects_{model}_changelist"))
        shoot(visitor.page, f"list-{model}")
        visitor.go(reverse(f"admin:projects_{model}_change", args=[everything[model].pk]))
        shoot(visitor.page, f"page-{model}")
    for name, path in (
        ("runs", reverse("admin:projects_projectsynchistory_changelist")),
        ("config", reverse("admin:projects_projectsyncconfig_changelist")),
        ("times", reverse("admin:projects_timedisplayconfig_changelist")),
        ("statistics", "/admin/projects/projectsynchistory/statistics/"),
        ("index", "/admin/"),
    ):
        visitor.go(path)
        shoot(visitor.page, name)
        assert visitor.complaints == [], path
    drawn = "Object.values(Chart.instances).map(chart => chart.data.datasets[0].data.length)"
    visitor.go("/admin/projects/projectsynchistory/statistics/")
    assert visitor.page.evaluate(drawn) == [30, 30, 30]
