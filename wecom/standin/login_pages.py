"""WeCom's two authorise pages: the one with the QR code for desktop browsers (doc 98152), and the one inside WeCom
(doc 91022), which there asks nobody anything. Here both ask whose phone it is.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from config.standin.errors import ControlError
from config.standin.web import Request, Response, html_response, redirect
from wecom.standin.company import MEMBERS, find_visible_member
from wecom.standin.login_codes import issue

if TYPE_CHECKING:
    from wecom.standin.world import World

QR_PATH = "/wwlogin/sso/login"
SILENT_PATH = "/connect/oauth2/authorize"
STRANGERS = {
    "customer": {"openid": "oStandinCustomer", "external_userid": "wmStandinCustomer"},
    "linked": {"userid": "wwlinkedcompany/li.mei"},
}
"""Not members: a customer in WeChat, and a member of a linked company (doc 91023)."""
QR_MODULES = 21


def qr_page(world: World, request: Request) -> Response:
    """``GET /wwlogin/sso/login``. Raises ControlError with WeCom's number of the failure."""
    query = request.query
    if query.get("login_type") != "CorpApp":
        raise _wrong("login_type", -31040)
    if query.get("appid") != world.options.corp_id:
        raise _wrong("appid", -31027)
    if query.get("agentid") != str(world.options.agent_id):
        raise _wrong("agentid", -31028)
    if not query.get("redirect_uri"):
        raise _wrong("redirect_uri", -31035)
    _check_domain(world, query["redirect_uri"], -31020)
    language = "en" if query.get("lang") == "en" else "zh-hans"
    with translation.override(language):
        return _choose(request, modules=_qr_modules(query.get("state", "")))


def silent_page(world: World, request: Request) -> Response:
    """``GET /connect/oauth2/authorize``. Raises ControlError."""
    query = request.query
    if query.get("appid") != world.options.corp_id:
        raise _wrong("appid", 40013)
    if query.get("agentid") != str(world.options.agent_id):
        raise _wrong("agentid", 40056)
    if query.get("response_type") != "code" or query.get("scope") not in ("snsapi_base", "snsapi_privateinfo"):
        raise _wrong("response_type, scope", 40035)
    if not re.fullmatch(r"[a-zA-Z0-9]{0,128}", query.get("state", "")):
        raise _wrong("state", 84025)
    _check_domain(world, query.get("redirect_uri", ""), 50001)
    return _choose(request, modules=[])


def confirm(world: World, request: Request) -> Response:
    """A person was chosen: back to where the browser came from, with a code. Raises ControlError."""
    form = request.form()
    chosen, address = form.get("as", ""), form.get("redirect_uri", "")
    _check_domain(world, address, 50001)
    if form.get("scanned") and chosen not in STRANGERS and find_visible_member(chosen) is None:
        raise ControlError(403, _("%(person)s is outside the app's visible scope.") % {"person": chosen})
    code = issue(world, STRANGERS.get(chosen) or {"userid": chosen})
    separator = "&" if urlsplit(address).query else "?"
    return redirect(f"{address}{separator}{urlencode({'code': code, 'state': form.get('state', '')})}")


def _choose(request: Request, modules: list[tuple[int, int]]) -> Response:
    context = {
        "language": translation.get_language(),
        "modules": modules,
        "size": QR_MODULES,
        "members": MEMBERS,
        "redirect_uri": request.query["redirect_uri"],
        "state": request.query.get("state", ""),
    }
    return html_response(render_to_string("standin/log_in.html", context))


def _check_domain(world: World, address: str, number: int) -> None:
    """Host and port must be exactly those that the app trusts (doc 91335)."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or parts.netloc != world.options.login_domain:
        sentence = _("%(host)s is not the app's trusted domain, which is %(trusted)s.")
        values = {"host": parts.netloc or "?", "trusted": world.options.login_domain or "–"}
        raise ControlError(400, f"{sentence % values} ({number})")


def _wrong(what: str, number: int) -> ControlError:
    sentence = _("%(what)s is wrong or missing.")
    return ControlError(400, f"{sentence % {'what': what}} ({number})")


def _qr_modules(seed: str) -> list[tuple[int, int]]:
    """The dark squares of something that looks like a QR code; nothing can be read from it."""
    bits = int.from_bytes(hashlib.sha512(seed.encode()).digest())
    dark = {(x, y) for x in range(QR_MODULES) for y in range(QR_MODULES) if (bits >> ((x * QR_MODULES + y) % 512)) & 1}
    for left, top in ((0, 0), (QR_MODULES - 7, 0), (0, QR_MODULES - 7)):
        for x in range(-1, 8):
            for y in range(-1, 8):
                ring = max(abs(x - 3), abs(y - 3))  # of a finder pattern: dark centre, light ring, dark ring, light
                (dark.add if ring in (0, 1, 3) else dark.discard)((left + x, top + y))
    return sorted((x, y) for x, y in dark if 0 <= x < QR_MODULES and 0 <= y < QR_MODULES)
