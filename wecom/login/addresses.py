"""Where a browser is sent to: WeCom's two pages that say who somebody is, and back."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme

from wecom.models import WeComConfig

Way = Literal["qr", "silent"]

LONGEST_NEXT = 500
"""Characters; the address travels in a cookie. A longer one leads to the first page instead."""


def way_of(request: HttpRequest) -> Way:
    """``silent`` in WeCom's own browser, on phones as on desktops; it names itself so."""
    return "silent" if "wxwork" in request.headers.get("User-Agent", "").lower() else "qr"


def authorise_url(config: WeComConfig, way: Way, state: str) -> str:
    """The page of WeCom that sends the browser back with a code. ``state``: letters and digits only (84025)."""
    query = {
        "appid": config.corp_id,
        "agentid": str(config.agent_id),  # always: without it some scopes degrade silently (doc 91022)
        "redirect_uri": settings.API_BASE_URL + reverse("wecom-login:return"),
        "state": state,
    }
    if way == "qr":
        query |= {"login_type": "CorpApp", "lang": "en" if translation.get_language() == "en" else "zh"}
        return f"{settings.WECOM_LOGIN_HOST}/wwlogin/sso/login?{urlencode(query)}"
    query |= {"response_type": "code", "scope": "snsapi_base"}
    # the fragment is required, and must come last (doc 91022)
    return f"{settings.WECOM_OAUTH_HOST}/connect/oauth2/authorize?{urlencode(query)}#wechat_redirect"


def is_at_home(request: HttpRequest) -> bool:
    """Whether the browser is at the host that WeCom sends it back to, where alone its cookie will be seen."""
    return request.get_host().lower() == urlsplit(settings.API_BASE_URL).netloc.lower()


def safe_next(told: str) -> str:
    """``told`` if it leads to a page of this site and fits; else nothing."""
    fits = len(told) <= LONGEST_NEXT and url_has_allowed_host_and_scheme(told, allowed_hosts=None)
    return told if fits else ""
