"""How many requests somebody may send; the rates are in settings.REST_FRAMEWORK.

A module of its own, because DRF imports the throttle classes while its views module is still half loaded.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog
from redis import RedisError
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle, UserRateThrottle

from config.addresses import client_network

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.views import APIView

logger = structlog.get_logger(__name__)

REDIS_REST = 5.0
"""Seconds during which nobody is counted after Redis failed, so that its time-out is not paid by every request."""


class _FailOpen(SimpleRateThrottle):
    """Throttling protects us from a flood; it must not be the thing that refuses work when Redis is away."""

    _resting_until = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        if time.monotonic() < _FailOpen._resting_until:
            return True
        try:
            return super().allow_request(request, view)
        except RedisError as error:
            _FailOpen._resting_until = time.monotonic() + REDIS_REST
            logger.warning("throttling_off", error=type(error).__name__, seconds=REDIS_REST)
            return True


class AnonymousThrottle(_FailOpen, AnonRateThrottle):
    """Counts the refused requests of an address. DRF asks who somebody is before it asks its throttles, so as one of a
    view's throttles it would never see a stranger; ``config.rest`` asks it instead."""


class UserThrottle(_FailOpen, UserRateThrottle):
    pass


class _ClientThrottle(_FailOpen):
    """Counts what comes from one client, whoever they say they are."""

    def get_cache_key(self, request: HttpRequest | Request, view: APIView | None = None) -> str:
        return self.cache_format % {"scope": self.scope, "ident": client_network(request)}  # type: ignore[arg-type]


class RefusedLinkThrottle(_ClientThrottle):
    """Counts the refused links of a client. A valid link is never asked, as above."""

    scope = "link_refused"


class WeComLogInThrottle(_ClientThrottle):
    """Counts what makes us ask WeCom who somebody is, which a stranger can cause: an office has one address."""

    scope = "wecom_login"
