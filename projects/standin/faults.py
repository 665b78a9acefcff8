"""What may go wrong at this library on purpose, and how it spoils an answer."""

from __future__ import annotations

import time
from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from config.standin.errors import BrokenAnswer, ConnectionDropped
from config.standin.faults import EVERYWHERE, Fault, FaultKind, Faults
from config.standin.web import Response, html_response, json_response

LIST, SINGLE = "list", "single"
LOG_IN_PAGE = "<!doctype html><html><head><title>统一登录</title></head><body><h1>请登录</h1></body></html>"

# from_page: pages of the list before this one are answered as they should be
FAULT_KINDS: dict[str, FaultKind] = {
    "down": FaultKind(_("Be down: close the connection without an answer"), {"from_page": 1}),
    "slow": FaultKind(_("Answer slowly"), {"seconds": 5.0, "from_page": 1}),
    "http_status": FaultKind(_("Answer with an HTTP error page"), {"status": 502, "from_page": 1}),
    "unauthorised": FaultKind(_("Refuse the key (401)"), {"from_page": 1}),
    "html": FaultKind(_("Answer with an HTML page and status 200"), {"from_page": 1}),
    "truncated": FaultKind(_("Break off in the middle of the answer"), {"from_page": 1}),
    "half_page": FaultKind(_("Leave out the second half of a page"), {"from_page": 1}),
    "bare_array": FaultKind(_("List everything as a bare array"), {}),
    "few": FaultKind(_("List only a few projects and say that these are all"), {"size": 10}),
}


def strike(faults: Faults, endpoint: str, page: int = 0) -> dict[str, Fault]:
    """The faults that meet this call."""

    def matches(fault: Fault) -> bool:
        in_time = endpoint != LIST or page >= fault.parameters.get("from_page", 1)
        return fault.endpoint in (EVERYWHERE, endpoint) and in_time

    return faults.meet(matches)


def before(met: dict[str, Fault]) -> None:
    """Waits, or raises ConnectionDropped or BrokenAnswer."""
    if "slow" in met:
        time.sleep(met["slow"].parameters["seconds"])
    if "down" in met:
        raise ConnectionDropped
    if "http_status" in met:
        raise BrokenAnswer(met["http_status"].parameters["status"])


def spoiled(met: dict[str, Fault], response: Response) -> Response:
    """The answer as it leaves."""
    if "unauthorised" in met:
        return json_response({"error": "the key is not valid"}, 401)
    if "html" in met:
        return html_response(LOG_IN_PAGE)
    if "truncated" in met:
        whole = response.body
        return replace(response, body=whole[: len(whole) // 2], promised=len(whole))
    return response
