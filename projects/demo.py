"""What ``seed_projects_demo`` puts in: the stand-in's library in the mirror, a few changes that happened, and links."""

from __future__ import annotations

from urllib.parse import quote

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from projects import tokens
from projects.models import ProjectAccessToken, ProjectCache, RemoteSource, Role, RunStatus, SyncType
from projects.sources import BOOTSTRAP_SLUG, enabled_sources
from projects.sync import runs

CHANGES = 4
"""Projects that change between the first two runs."""
PAGE_SIZE = 10
"""Projects of one page: few, so that the bar of a run has steps to show."""
DAYS = 30
PATIENCE = 5.0
"""Seconds for the stand-in, which runs next door."""


class DemoFailed(Exception):
    """``str(error)`` says why."""


def follow_the_stand_in() -> None:
    """Our source is at the stand-in's address, also when the stand-in has moved to another port."""
    enabled_sources()  # makes the row the first time
    RemoteSource.objects.filter(slug=BOOTSTRAP_SLUG).update(base_url=settings.REMOTE_API_BASE_URL)


def fill_mirror() -> None:
    """Once: a first run, a few changes in the library, and a second run that sees them. Raises DemoFailed."""
    if ProjectCache.objects.exists():
        return
    RemoteSource.objects.filter(slug=BOOTSTRAP_SLUG).update(page_size=PAGE_SIZE)
    _run()
    try:
        address = f"{settings.PROJECTS_STANDIN_URL}/standin/api/bulk/change"
        requests.post(address, json={"count": CHANGES}, timeout=PATIENCE).raise_for_status()
    except requests.RequestException as error:
        raise DemoFailed(str(error)) from error
    _run()


def _run() -> None:
    for source in enabled_sources():
        history = runs.run(runs.open_run(source, sync_type=SyncType.AUTO))
        if history.status != RunStatus.SUCCESS:
            raise DemoFailed(history.message)


def make_links() -> tuple[str, str]:
    """One link for each role to the last project; the customer's page, and the project in the library.

    A link is shown once, so the customer's is made anew each time; the other two are there to be seen in admin.
    Raises DemoFailed.
    """
    project = ProjectCache.objects.listed().order_by("-pk").first()
    if project is None:
        raise DemoFailed(_("The library lists no project."))
    page = ""
    for role in Role:
        person = next(person for person in project.stakeholders if person["role"] == role)
        earlier = ProjectAccessToken.objects.filter(project=project, access_type=role, user_id=person["user_id"])
        if role == Role.CUSTOMER:
            earlier.delete()
            page = _issue(project, person).url
        elif not earlier.exists():
            _issue(project, person)
    return page, f"{settings.PROJECTS_STANDIN_URL}/change/{quote(project.remote_id, safe='')}"


def _issue(project: ProjectCache, person: dict[str, str]) -> tokens.Issued:
    return tokens.issue(
        project, user_id=person["user_id"], user_name=person["name"], access_type=person["role"], days=DAYS
    )
