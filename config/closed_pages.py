"""Pages for people outside the admin: no script, nothing from elsewhere, kept by no cache and listed by no search
engine; and where a form is refused, a page that says what to do instead of Django's bare one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.cache import patch_vary_headers
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.csrf import csrf_exempt

View = Callable[..., HttpResponse]
Policy = dict[str, Any]

POLICY: Policy = {
    "default-src": [NONE],
    "style-src": [SELF],
    "img-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
"""Stricter than the admin's: no script at all, no inline style."""
HEADERS = {
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "private, no-store",
}


class OwnCsrf(CsrfViewMiddleware):
    """Django's check, whose refusal is a page of ours."""

    def too_old(self, request: HttpRequest, **place: Any) -> HttpResponse:
        """The page. ``place``: the parts of the address."""
        raise NotImplementedError

    def process_view(
        self, request: HttpRequest, callback: Any, callback_args: tuple[Any, ...], callback_kwargs: dict[str, Any]
    ) -> Any:
        refusal = super().process_view(request, callback, callback_args, callback_kwargs)
        return None if refusal is None else self.too_old(request, **callback_kwargs)


def checked(csrf: type[OwnCsrf]) -> Callable[[View], View]:
    """Checks the forms that a view is sent. Goes below ``closed``, which waives the site's own check."""
    decorate: Callable[[View], View] = decorator_from_middleware(csrf)  # type: ignore[assignment]
    return decorate


def closed(*, policy: Policy, referrer: str, vary: Sequence[str] = ("Cookie",)) -> Callable[[View], View]:
    """Policy and headers for answers of every kind. ``referrer``: the Referrer-Policy; ``vary``: what else than the
    address an answer depends on."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, **place: Any) -> HttpResponse:
            response = view(request, **place)
            for name, value in {**HEADERS, "Referrer-Policy": referrer}.items():
                response.headers[name] = value
            patch_vary_headers(response, vary)
            return response

        decorated: View = csrf_exempt(csp(policy)(answer))  # type: ignore[assignment, arg-type]
        return decorated

    return decorate
