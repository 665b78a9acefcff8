"""``/project/{id}`` and its three buttons: refresh, ask for a new link, language."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe
from django.views.i18n import set_language

from projects import door
from projects.access import AccessRefused, Grant
from projects.models import AccessOutcome, ProjectCache
from projects.page import notices, refreshing, visitors
from projects.page.addresses import page_address
from projects.page.guard import guarded
from projects.page.sight import Sight, see
from projects.page.visitors import DOOR, GENUINE
from projects.telling import link_was_requested, tell_link_requested

BUTTON = ["GET", "HEAD", "POST"]
"""GET: somebody loads the address again that the button led to; the page is what they want."""


@guarded
@require_safe
def page(request: HttpRequest, remote_id: str) -> HttpResponse:
    """The project, or why it is not shown. A link's token is moved from the address into a cookie first."""
    if "token" in request.GET:
        return _arrive(request, remote_id, request.GET["token"])
    sight = see(remote_id, visitors.admit(request, remote_id))
    if sight is None:
        return notices.show(request, remote_id, notices.UNKNOWN)
    told = list(messages.get_messages(request))
    warned = any(message.level == messages.WARNING for message in told)
    facts = {"sight": sight, "told": told, "warned": warned, "address": page_address(remote_id)}
    return render(request, "project/page.html", facts)


@guarded
@require_safe
def slashed(request: HttpRequest, remote_id: str) -> HttpResponse:
    """The address with a slash behind it, as some programs pass it on: leads to the clean one, without the token."""
    if "token" in request.GET:
        return _arrive(request, remote_id, request.GET["token"])
    return HttpResponseRedirect(page_address(remote_id))


def _arrive(request: HttpRequest, remote_id: str, token: str) -> HttpResponse:
    """Somebody opens a link. An old one does no harm to who has a good one already. Raises AccessRefused for what is
    no token of ours; all others leave the address, where they would be seen, kept and passed on."""
    clean = HttpResponseRedirect(page_address(remote_id))
    grant = None
    try:
        grant = door.admit(request, token, remote_id, door=DOOR, looks=False)
    except AccessRefused as refusal:
        if visitors.has_good_link(request, remote_id):
            return clean
        if refusal.outcome not in GENUINE:
            raise
    visitors.keep_link(clean, remote_id, token, grant)
    return clean


@guarded
@require_http_methods(BUTTON)
def refresh(request: HttpRequest, remote_id: str) -> HttpResponse:
    """Have the copy confirmed now, and say what came of it or when it may be asked for again."""
    if request.method == "POST":
        visitor = visitors.admit(request, remote_id)
        if visitor.sees_nothing:
            return notices.show(request, remote_id, notices.UNKNOWN)
        again = refreshing.next_turn(remote_id)
        if again is None:
            _tell_result(request, see(remote_id, visitor, insists=True))
        else:
            seconds = max(1, round((again - timezone.now()).total_seconds()))
            messages.info(request, _in_words(seconds))
    return HttpResponseRedirect(page_address(remote_id))


def _in_words(seconds: int) -> str:
    """When the button works again. Not how the last refresh went: it may have failed, or been another person's."""
    text = ngettext(
        "This was asked for a moment ago. You can refresh again in %(seconds)d second.",
        "This was asked for a moment ago. You can refresh again in %(seconds)d seconds.",
        seconds,
    )
    return text % {"seconds": seconds}


def _tell_result(request: HttpRequest, sight: Sight | None) -> None:
    if sight is None or sight.gone:
        return  # the page says so itself
    facts = {"time": sight.last_sync, "seconds": int(refreshing.PAUSE.total_seconds())}
    if sight.stale:
        text = _(
            "Our project library does not answer at the moment. You see the state of %(time)s, and can try again in "
            "%(seconds)d seconds."
        )
        messages.warning(request, text % facts)
    else:
        text = _("This is the latest state. You can refresh again in %(seconds)d seconds.")
        messages.success(request, text % facts)


@guarded
@require_http_methods(BUTTON)
def ask(request: HttpRequest, remote_id: str) -> HttpResponse:
    """Tell the salesman that the bearer of an expired link would like a new one; once a day per link."""
    if request.method == "POST":
        try:
            visitors.admit(request, remote_id)
        except AccessRefused as refusal:
            if refusal.outcome != AccessOutcome.EXPIRED or refusal.link is None:
                raise
            _ask(request, refusal.link)
    return HttpResponseRedirect(page_address(remote_id))


def _ask(request: HttpRequest, link: Grant) -> None:
    who = notices.person(link)
    told = tell_link_requested(ProjectCache.objects.get(pk=link.project_id), **who)
    if not told and not link_was_requested(link.project_id, **who):
        messages.warning(request, _("We could not reach your contact from here. Please call or write to them."))


@guarded
@require_http_methods(BUTTON)
def language(request: HttpRequest, remote_id: str) -> HttpResponse:
    """Django's language view, behind the CSRF check that these pages can pass."""
    return set_language(request) if request.method == "POST" else HttpResponseRedirect(page_address(remote_id))
