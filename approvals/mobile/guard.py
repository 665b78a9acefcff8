"""What every answer of these pages has in common: who asks, in which language, how often, and the headers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.constants import SELF
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation

from approvals.mobile import notices
from approvals.mobile.throttling import FormThrottle
from approvals.mobile.visitors import identify
from config import closed_pages
from config.closed_pages import OwnCsrf, Policy, checked, closed

View = Callable[..., HttpResponse]
"""Takes the request, the visitor, and the address's ``pk`` if it has one."""

POLICY: Policy = {
    **closed_pages.POLICY,
    # a form that is sent after the session ended leads to the log-in page, and inside WeCom from there straight on
    "form-action": [SELF, settings.WECOM_OAUTH_HOST],
}


class _Csrf(OwnCsrf):
    """The way on leads back to where the form was."""

    def too_old(self, request: HttpRequest, **place: Any) -> HttpResponse:
        return notices.show(request, notices.FORM_TOO_OLD, again=place_of(place))


def guarded(*methods: str, policy: Policy = POLICY) -> Callable[[View], View]:
    """For each view of these pages: asks who it is, and sends whoever is nobody to the log-in. A request that is none
    of ``methods``, as when somebody loads the address of a button again, leads to the page of the approval."""

    def decorate(view: View) -> View:
        known = checked(_Csrf)(_of_known(view, methods))

        @wraps(view)
        def answer(request: HttpRequest, **place: Any) -> HttpResponse:
            speak_the_visitors_language(request)
            return known(request, **place)

        return closed(policy=policy, referrer="same-origin", vary=("Cookie", "Accept-Language"))(answer)

    return decorate


def _of_known(view: View, methods: tuple[str, ...]) -> View:
    def ask(request: HttpRequest, **place: Any) -> HttpResponse:
        visitor = identify(request)
        if visitor is None:
            return redirect_to_login(place_of(place) if request.method == "POST" else request.get_full_path())
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            return HttpResponseRedirect(place_of(place))
        if method == "POST":
            throttle = FormThrottle(visitor.key)
            if not throttle.allow_request(request, None):  # type: ignore[arg-type]
                return notices.too_many(request, throttle.wait() or 0, again=place_of(place))
        return view(request, visitor, **place)

    return ask


def place_of(kwargs: dict[str, Any]) -> str:
    """The page that an address belongs to: the approval that it names, else the list."""
    return reverse("mobile:approval", kwargs=kwargs) if "pk" in kwargs else reverse("mobile:list")


def speak_the_visitors_language(request: HttpRequest) -> None:
    """The chosen one, else the browser's: unlike the admin's people, members have not been told of a switch."""
    language = translation.get_language_from_request(request)
    translation.activate(language)
    request.LANGUAGE_CODE = language
