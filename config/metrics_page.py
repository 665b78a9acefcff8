"""``/metrics`` for Prometheus. Whoever may not see it is told that there is nothing here."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseNotFound
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from config.addresses import client_address
from config.metrics import collect

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
"""Who may ask where neither METRICS_TOKEN nor METRICS_ALLOW is set."""
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")
_BEARER = "Bearer "


class _Collected(Collector):
    """What generate_latest() reads: it wants a registry, and nothing of ours is registered in one."""

    def collect(self) -> Iterable[Metric]:
        return collect()


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """404 for everybody but those with the token or from an allowed address, whatever they send."""
    if not is_allowed(request):
        return HttpResponseNotFound("Not found\n", content_type="text/plain; charset=utf-8")
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return HttpResponse(generate_latest(_Collected()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def is_allowed(request: HttpRequest) -> bool:
    """Whether METRICS_TOKEN or METRICS_ALLOW lets this request in; without either, only this machine."""
    networks = settings.METRICS_ALLOW or ([] if settings.METRICS_TOKEN else LOOPBACK)
    return _has_token(request) or _comes_from(request, networks)


def _has_token(request: HttpRequest) -> bool:
    told = request.META.get("HTTP_AUTHORIZATION", "")
    if not settings.METRICS_TOKEN or not told.startswith(_BEARER):
        return False
    return constant_time_compare(told.removeprefix(_BEARER).strip(), settings.METRICS_TOKEN)


def _comes_from(request: HttpRequest, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    # A proxy that the settings do not know of makes the whole world look like its own address, often this machine's.
    if not settings.BEHIND_PROXY and any(name in request.META for name in FORWARDED):
        return False
    told = client_address(request)
    if told is None:
        return False
    address = ipaddress.ip_address(told)
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in networks)
