"""The pages that show no approval: what is not to be seen, and what must wait."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy


@dataclass(frozen=True, slots=True)
class Notice:
    status: int
    heading: str | Promise
    text: str | Promise
    on: str | Promise
    """Words of the link that leads on."""


NOT_FOUND = Notice(
    404,
    _("There is no such approval for you"),
    _("It may have been removed, or you take no part in it."),
    _("To my approvals"),
)
"""The same for what is not there and for what is nobody else's business: the answer must not tell them apart."""
FORM_TOO_OLD = Notice(
    403,
    _("This page was open for too long"),
    _("Nothing was done. Load the page again, then repeat what you did. Cookies must be allowed."),
    _("Load the page again"),
)


def show(request: HttpRequest, notice: Notice, *, again: str = "") -> HttpResponse:
    """``again``: where the link leads; the list, if nothing is given."""
    on = again or reverse("mobile:list")
    return render(request, "mobile/notice.html", {"notice": notice, "on": on, "here": on}, status=notice.status)


def too_many(request: HttpRequest, seconds: float, *, again: str) -> HttpResponse:
    """``seconds``: how long to wait."""
    whole = max(1, math.ceil(seconds))
    text = ngettext_lazy(
        "Nothing was done. Please wait %(seconds)d second.", "Nothing was done. Please wait %(seconds)d seconds.", whole
    )
    notice = Notice(429, _("One moment, please"), text % {"seconds": whole}, _("Load the page again"))
    response = show(request, notice, again=again)
    response.headers["Retry-After"] = str(whole)
    return response
