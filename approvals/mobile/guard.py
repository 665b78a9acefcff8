"""What every answer of these pages has in common: who asks, in which language, how often, and the headers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from csp.constants import NONE, SELF
from csp.decorators import csp
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.csrf import csrf_exempt

from approvals.mobile import notices
from approvals.mobile.throttling import FormThrottle
from approvals.mobile.visitors import identify

logger = structlog.get_logger(__name__)

View = Callable[..., HttpResponse]
"""Takes the request, the visitor, and the address's ``pk`` if it has one."""

POLICY: dict[str, Any] = {
    "default-src": [NONE],
    "style-src": [SELF],
    "img-src": [SELF],
    # a form that is sent after the session ended leads to the log-in page, and inside WeCom from there straight on
    "form-action": [SELF, settings.WECOM_OAUTH_HOST],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
"""No script at all, no inline style."""

HEADERS = {
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "private, no-store",
}


class _OwnCsrf(CsrfViewMiddleware):
    """Django's check, whose refusal is a page of ours: it leads back to where the form was."""

    def process_view(
        self, request: HttpRequest, callback: Any, callback_args: tuple[Any, ...], callback_kwargs: dict[str, Any]
    ) -> Any:
        refusal = super().process_view(request, callback, callback_args, callback_kwargs)
        return None if refusal is None else notices.show(request, notices.FORM_TOO_OLD, again=place_of(callback_kwargs))


def guarded(*methods: str, policy: dict[str, Any] = POLICY) -> Callable[[View], View]:
    """For each view of these pages: asks who it is, and sends whoever is nobody to the log-in. A request that is none
    of ``methods``, as when somebody loads the address of a button again, leads to the page of the approval."""

    def decorate(view: View) -> View:
        known: View = decorator_from_middleware(_OwnCsrf)(_of_known(view, methods))  # type: ignore[assignment]

        @wraps(view)
        def answer(request: HttpRequest, **place: Any) -> HttpResponse:
            speak_the_visitors_language(request)
            response = known(request, **place)
            for name, value in HEADERS.items():
                response.headers[name] = value
            patch_vary_headers(response, ("Cookie", "Accept-Language"))
            return response

        # of the site's own CSRF check, whose place _OwnCsrf takes
        decorated: View = csrf_exempt(csp(policy)(answer))  # type: ignore[assignment, arg-type]
        return decorated

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
