"""The JS-SDK's other half (docs 90506, 90514, 97202): tickets, script, and the form behind ``thirdPartyOpenPage``.

The script sends the browser here with both signatures and what to open; a real client checks the signatures and opens a
window of its own, here the page changes. Whose phone it is, the person says, as at log-in.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from config.standin.errors import ControlError
from config.standin.web import Request, Response, redirect
from wecom.standin import engine_api
from wecom.standin.call import Call
from wecom.standin.company import visible_members
from wecom.standin.errors import ApiError

if TYPE_CHECKING:
    from wecom.standin.world import World

SCRIPT_PATH = "/jssdk.js"
TICKET_SECONDS = 7200
CORP, APP = "corp", "agent_config"
START, SHOW = "10001", "10002"
APPROVERS = ["wang.boss"]
"""The flow of the engine's template."""


def get_jsapi_ticket(world: World, call: Call) -> dict[str, Any]:
    return _ticket(world, CORP)


def ticket_get(world: World, call: Call) -> dict[str, Any]:
    if call.query.get("type") != APP:
        raise ApiError(40097, "invalid args: type must be agent_config")
    return _ticket(world, APP)


def _ticket(world: World, kind: str) -> dict[str, Any]:
    """The same ticket until it ends, as WeCom gives it."""
    now = world.clock()
    with world.store.transaction():
        row = world.store.row("SELECT ticket, expires_at FROM tickets WHERE kind = ? AND expires_at > ?", kind, now)
        if row is None:
            ticket = f"{kind}-{secrets.token_urlsafe(24)}"
            world.store.execute("DELETE FROM tickets WHERE kind = ?", kind)
            world.store.insert("tickets", kind=kind, ticket=ticket, expires_at=now + TICKET_SECONDS)
            return {"ticket": ticket, "expires_in": TICKET_SECONDS}
    return {"ticket": row["ticket"], "expires_in": round(row["expires_at"] - now)}


def script(world: World, request: Request) -> Response:
    return Response(render_to_string("standin/jssdk.js").encode(), content_type="text/javascript; charset=utf-8")


def opened(world: World, request: Request) -> dict[str, Any]:
    """What the page shows that ``thirdPartyOpenPage`` opens. Raises ControlError with the client's own words."""
    told = request.form()
    try:
        asked, signed = json.loads(told.get("open", "")), json.loads(told.get("signed", ""))
        register, url = signed["register"], str(signed["url"])
        signatures = {CORP: dict(signed["config"]), APP: dict(signed["agentConfig"])}
        fields = [dict(field) for field in asked["extData"]["fieldList"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ControlError(400, f"function not complete: {error}") from error
    _check_app(world, register, url)
    for kind, signature in signatures.items():
        _check_signature(world, kind, signature, url)
    number, template_id = str(asked.get("thirdNo") or ""), str(asked.get("templateId") or "")
    if template_id != world.options.engine_template_id:
        raise ControlError(400, f"wrong template id {template_id!r}")
    known = world.approvals.by_engine_number(number)
    if asked.get("oaType") == SHOW and known is None:
        raise ControlError(404, f"there is no approval {number} (10002)")
    if asked.get("oaType") == START and known is not None:
        raise ControlError(409, f"thirdNo {number} is already taken (10001)")
    return {
        "member": None,
        "number": number,
        "fields": [field for field in fields if field.get("type") == "text" or known],
        "approval": known,
        "back": url,
        "proof": _proof(world, number, template_id, url),
        "members": visible_members(),
        "template_id": template_id,
    }


def send_off(world: World, request: Request) -> Response:
    """The form was sent off by one of the members. Raises ControlError."""
    form = request.form()
    number, template_id, back = form.get("number", ""), form.get("template_id", ""), form.get("back", "")
    if not hmac.compare_digest(_proof(world, number, template_id, back), form.get("proof", "")):
        raise ControlError(403, _("This form was not opened by a page of the app."))
    asked = {"third_no": number, "template_id": template_id, "userid": form.get("as"), "approvers": APPROVERS}
    approval = engine_api.start(world, asked)
    return redirect(f"/phone/approvals/{approval.number}?{urlencode({'as': form.get('as', ''), 'tab': 'sent'})}")


def _check_app(world: World, register: dict[str, Any], url: str) -> None:
    if register.get("corpId") != world.options.corp_id or str(register.get("agentId")) != str(world.options.agent_id):
        raise ControlError(403, "agentConfig:fail wrong corpid or agentid")
    if "thirdPartyOpenPage" not in (register.get("jsApiList") or []):
        raise ControlError(403, "thirdPartyOpenPage:fail permission denied")
    if urlsplit(url).netloc != world.options.login_domain:
        raise ControlError(403, "config:fail invalid url domain")


def _check_signature(world: World, kind: str, signature: dict[str, Any], url: str) -> None:
    row = world.store.row("SELECT ticket FROM tickets WHERE kind = ? AND expires_at > ?", kind, world.clock())
    ticket = row["ticket"] if row else ""
    values = (ticket, signature.get("nonceStr"), signature.get("timestamp"), url)
    text = "jsapi_ticket={}&noncestr={}&timestamp={}&url={}".format(*values)
    made = hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - the protocol's choice
    if not ticket or not hmac.compare_digest(made, str(signature.get("signature"))):
        raise ControlError(403, f"{'config' if kind == CORP else 'agentConfig'}:fail invalid signature")


def _proof(world: World, *parts: str) -> str:
    """That this very form came out of a page that was signed."""
    return hmac.new(world.options.secret.encode(), "\n".join(parts).encode(), hashlib.sha256).hexdigest()
