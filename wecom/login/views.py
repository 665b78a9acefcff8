"""The log-in page with WeCom's button, the way to WeCom, and the way back."""

from __future__ import annotations

from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.contrib import admin, auth
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from config.login_guard import WECOM_CODES
from config.throttling import WeComLogInThrottle
from wecom.configs import default_config
from wecom.errors import WeComError
from wecom.login import identity, members, refusals, states
from wecom.login.addresses import authorise_url, is_at_home, safe_next, way_of
from wecom.login.policy import passwords_are_for_superusers
from wecom.login.refusals import Refused
from wecom.login.states import Pending
from wecom.models import WeComConfig

logger = structlog.get_logger(__name__)

BACKEND = "wecom.login.backends.WeComMemberBackend"
BY_PASSWORD = {"by": "password"}
"""Query of the log-in page for whoever wants the form inside WeCom as well."""


@never_cache
def log_in_page(request: HttpRequest) -> HttpResponse:
    """The admin's log-in page. Inside WeCom it asks nothing and goes on at once."""
    there = _with_next("wecom-login:start", safe_next(request.GET.get("next", "")))
    set_up = default_config() is not None
    asked = request.method == "GET" and not request.user.is_authenticated and "by" not in request.GET
    if asked and set_up and way_of(request) == "silent":
        return redirect(there)
    context = {"wecom_log_in": there if set_up else "", "passwords_restricted": passwords_are_for_superusers()}
    return admin.site.login(request, extra_context=context)


@never_cache
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """``?next=``: to WeCom, with a state that only this browser can redeem."""
    after = safe_next(request.GET.get("next", ""))
    config = default_config()
    if config is None:
        return _refuse(request, refusals.not_set_up(), after)
    if not is_at_home(request) and "moved" not in request.GET:  # once: a proxy may hide the host from us
        return redirect(settings.API_BASE_URL + _with_next("wecom-login:start", after, moved="1"))
    return _to_wecom(request, config, Pending(way_of(request), after))


@never_cache
@require_GET
def come_back(request: HttpRequest) -> HttpResponse:
    """``?code=&state=``: back from WeCom. Whatever comes of it, the state is spent."""
    try:
        pending = states.redeem(request, request.GET.get("state", ""))
    except states.StateRefused:
        if admin.site.has_permission(request):  # the page was reloaded, or "back" was pressed
            return redirect("admin:index")
        if members.member_in(request) is not None:
            return redirect(members.MEMBER_PAGES)
        return _refuse(request, refusals.bad_state())
    except WeComError as error:
        return _refuse(request, refusals.wecom_trouble(error))
    return _enter(request, pending)


def _enter(request: HttpRequest, pending: Pending) -> HttpResponse:
    config = default_config()
    try:
        if config is None:
            raise refusals.not_set_up()
        response = _log_in(request, config, pending)
    except WeComError as error:
        response = _refuse(request, refusals.wecom_trouble(error), pending.next)
    except Refused as refused:
        if refused.outcome == "bad_code":
            _count_guess(request)
            if config is not None and not pending.again:
                return _begin_again(request, config, pending)
        response = _refuse(request, refused, pending.next)
    states.forget(request, response, pending.state)
    return response


def _log_in(request: HttpRequest, config: WeComConfig, pending: Pending) -> HttpResponse:
    if not WeComLogInThrottle().allow_request(request, None):  # type: ignore[arg-type]
        raise refusals.too_many()
    userid = identity.userid_for(config, request.GET.get("code", ""))
    member = identity.current_member(config, userid)
    if members.are_let_in_at(pending.next) and not identity.is_staff(member):
        members.let_in(request, member)
        logger.info("wecom_login", outcome="let_in", way=pending.way, userid=userid)
        return HttpResponseRedirect(pending.next)
    user = identity.staff_user(member)
    auth.login(request, user, backend=BACKEND)  # with a new session key
    logger.info("wecom_login", outcome="logged_in", way=pending.way, userid=userid, user_id=user.pk)
    return HttpResponseRedirect(pending.next or reverse("admin:index"))


def _count_guess(request: HttpRequest) -> None:
    """A code that WeCom does not take is a failed log-in, of nobody in particular."""
    user_login_failed.send(__name__, credentials={"username": WECOM_CODES}, request=request)


def _begin_again(request: HttpRequest, config: WeComConfig, spent: Pending) -> HttpResponse:
    """Once: a browser that repeats a request by itself spends the code, and nobody has done anything wrong."""
    logger.info("wecom_login", outcome="once_more", way=spent.way)
    return _to_wecom(request, config, Pending(way_of(request), spent.next, again=True), instead_of=spent.state)


def _to_wecom(request: HttpRequest, config: WeComConfig, pending: Pending, *, instead_of: str = "") -> HttpResponse:
    response = HttpResponseRedirect(authorise_url(config, pending.way, pending.state))
    states.remember(request, response, pending, instead_of=instead_of)
    return response


def _refuse(request: HttpRequest, refused: Refused, after: str = "") -> HttpResponse:
    logger.warning("wecom_login", outcome=refused.outcome, userid=refused.userid, reference=refused.reference)
    context = {
        "refused": refused,
        "again": _with_next("wecom-login:start", after),
        "by_password": _with_next("admin:login", after, **BY_PASSWORD),
    }
    return render(request, "wecom/login_refused.html", context, status=refused.status)


def _with_next(name: str, after: str, **query: str) -> str:
    """The address called ``name``, which leads to ``after`` in the end."""
    told = {**query, "next": after} if after else query
    return f"{reverse(name)}?{urlencode(told)}" if told else reverse(name)
