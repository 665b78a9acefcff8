"""The pages that show no project: who may not look, who must wait, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from projects.access import AccessRefused, Grant
from projects.models import AccessOutcome
from projects.page.addresses import page_address
from projects.telling import link_was_requested

RETRY_AFTER = 30
"""Seconds; a database that restarts is usually back by then (as in ``config.errors``)."""


@dataclass(frozen=True, slots=True)
class Notice:
    status: int
    sign: str
    """One letter in a circle."""
    heading: str | Promise
    texts: tuple[str | Promise, ...]
    look: str = ""
    """``warn`` or ``bad``"""
    again: str | Promise = ""
    """Words of the button that leads back to the project."""


CALL_US = _("If you need to see the project, please ask your contact for a link.")
LINKS_END = _("Links work for a limited time, to protect your data.")
ASK = _("Links work for a limited time, to protect your data. Your contact can send you a new one.")
REFUSED: dict[AccessOutcome, Notice] = {
    AccessOutcome.EXPIRED: Notice(401, "!", _("This link has expired"), (ASK,), look="warn"),
    AccessOutcome.INVALID: Notice(
        401,
        "?",
        _("Please open the link you were sent"),
        (_("This page opens with a personal link only. Tap it in the message you received; a copy may be cut off."),),
    ),
    AccessOutcome.REVOKED: Notice(403, "✕", _("This link has been withdrawn"), (CALL_US,), look="bad"),
    AccessOutcome.WRONG_PROJECT: Notice(
        403,
        "✕",
        _("This link does not open this page"),
        (_("Your link belongs to something else. Please open it again from the message you received."),),
        look="bad",
    ),
}
UNKNOWN = Notice(404, "?", _("There is no such project"), (_("It may have been removed, or its number is mistyped."),))
AWAY = Notice(
    503,
    "!",
    _("Back in a moment"),
    (_("This page cannot be shown right now. Your link stays valid; please try again in half a minute."),),
    look="warn",
    again=_("Try again"),
)
FORM_TOO_OLD = Notice(
    403,
    "!",
    _("This page was open for too long"),
    (_("Please load it again, then repeat what you did. Cookies must be allowed for this page."),),
    look="warn",
    again=_("Load the page again"),
)


def refused(request: HttpRequest, remote_id: str, refusal: AccessRefused) -> HttpResponse:
    """Why a link does not open the page. Of an expired one: how to get another."""
    if refusal.outcome == AccessOutcome.THROTTLED:
        return _too_many(request, remote_id, refusal.retry_after or RETRY_AFTER)
    if refusal.outcome == AccessOutcome.EXPIRED:
        return _expired(request, remote_id, refusal.link)
    return show(request, remote_id, REFUSED[refusal.outcome])


def _expired(request: HttpRequest, remote_id: str, link: Grant | None) -> HttpResponse:
    """Whose row the nightly purge has taken (no ``link``), nobody knows whom to tell."""
    asked = link is not None and link_was_requested(link.project_id, **person(link))
    text = CALL_US if link is None else LINKS_END if asked else ASK
    notice = replace(REFUSED[AccessOutcome.EXPIRED], texts=(text,))
    return show(request, remote_id, notice, can_ask=link is not None, asked=asked)


def person(link: Grant) -> dict[str, str]:
    """Who asks, in the words of ``projects.telling``."""
    return {"user_id": link.user_id, "user_name": link.user_name, "access_type": link.access_type}


def _too_many(request: HttpRequest, remote_id: str, seconds: int) -> HttpResponse:
    wait = ngettext_lazy("Please wait %(seconds)d second.", "Please wait %(seconds)d seconds.", seconds)
    texts = (_("Too many requests came from your network within a minute."), wait % {"seconds": seconds})
    notice = Notice(429, "!", _("One moment, please"), texts, look="warn", again=_("Try again"))
    response = show(request, remote_id, notice)
    response.headers["Retry-After"] = str(seconds)
    return response


def away(request: HttpRequest, remote_id: str) -> HttpResponse:
    """The database does not answer. Nothing may ask it again: not for a session, nor for the user's number in the log,
    whose failure would take the place of this page."""
    request.user = AnonymousUser()
    response = show(request, remote_id, AWAY)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def show(
    request: HttpRequest, remote_id: str, notice: Notice, *, can_ask: bool = False, asked: bool = False
) -> HttpResponse:
    facts = {"notice": notice, "can_ask": can_ask, "asked": asked, "address": page_address(remote_id)}
    return render(request, "project/notice.html", facts, status=notice.status)
