"""Who sent a request."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Who connected; ``None`` where there is no address (a Unix socket).

    X-Forwarded-For is whatever the caller wrote, except for what our own proxy put at its end.
    """
    told = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        told = request.META.get("HTTP_X_FORWARDED_FOR", told).rpartition(",")[2].strip()
    return _address(told)


def client_network(request: HttpRequest) -> str:
    """What is counted as one client: an IPv4 address, or the /64 that every IPv6 line has to itself."""
    return _network(client_address(request) or "")


@lru_cache(maxsize=4096)
def _address(told: str) -> str | None:
    try:
        return str(ipaddress.ip_address(told))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if ":" in address else address
