"""Who stands in front of a project's page: the bearer of a link, or staff."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from projects import access, access_log, door
from projects.access import AccessRefused, Grant
from projects.models import AccessOutcome, ProjectCache
from projects.page.addresses import page_address

COOKIE = "project_link"
"""Holds the link's token. Its path is the project's page, so each project has its own and no other page gets it."""
DOOR = "page"
MAY_PREVIEW = "projects.view_projectcache"


@dataclass(frozen=True, slots=True)
class Visitor:
    """One of the two is there."""

    grant: Grant | None = None
    staff: User | None = None
    project: ProjectCache | None = None
    """What staff asked for; a link brings its own."""

    @property
    def sees_nothing(self) -> bool:
        """There is no such project, which only staff can meet."""
        return self.grant is None and self.project is None


def admit(request: HttpRequest, remote_id: str) -> Visitor:
    """The bearer of a good link before staff: who opens a customer's link sees what the customer sees. The look, or the
    refusal, is logged. Raises AccessRefused, for staff without the right as for everybody else."""
    token = request.COOKIES.get(COOKIE, "")
    user = _staff(request)
    if user is not None and not token:
        return _staff_visitor(request, remote_id, user)
    try:
        return Visitor(grant=door.admit(request, token, remote_id, door=DOOR))
    except AccessRefused:
        if user is None:
            raise
    return _staff_visitor(request, remote_id, user)


def _staff(request: HttpRequest) -> User | None:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None  # the customer's every look: no session is looked up
    user = request.user
    return user if isinstance(user, User) and user.is_staff and user.has_perm(MAY_PREVIEW) else None


def _staff_visitor(request: HttpRequest, remote_id: str, user: User) -> Visitor:
    project = None
    if "\0" not in remote_id:  # which PostgreSQL does not take as a text
        project = ProjectCache.objects.select_related("source").filter(remote_id=remote_id).first()
    if project is not None:
        access_log.note_staff(request, remote_id, DOOR)
    return Visitor(staff=user, project=project)


def has_good_link(request: HttpRequest, remote_id: str) -> bool:
    """Whether the browser holds a link that opens this page."""
    try:
        access.check(request.COOKIES.get(COOKIE, ""), remote_id)
    except AccessRefused:
        return False
    return True


def keep_link(response: HttpResponse, remote_id: str, token: str, grant: Grant | None) -> None:
    """The cookie, until the link expires. Of a link that opens nothing (no ``grant``): until the browser is closed,
    long enough to say why and to ask for another."""
    age = int((grant.expires_at - timezone.now()).total_seconds()) if grant else None
    response.set_cookie(
        COOKIE,
        token,
        max_age=age,
        path=page_address(remote_id),
        secure=settings.HTTPS_ONLY,
        httponly=True,
        samesite="Lax",
    )


GENUINE = frozenset({AccessOutcome.EXPIRED, AccessOutcome.REVOKED, AccessOutcome.WRONG_PROJECT})
"""Refusals of tokens that are ours. What was never a token may stay in the address."""
