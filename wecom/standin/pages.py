"""The pages for people: whose phone, the approval list, one approval, messages, the fault switches.

Plain forms and redirects; a page works without JavaScript and refreshes itself a little with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.standin.errors import ControlError
from config.standin.web import Request, Response, change_language, html_response, language_of, redirect
from wecom.standin import jssdk, login_pages, tokens
from wecom.standin.acts import act
from wecom.standin.cards import count_pressable, press
from wecom.standin.company import MEMBERS, Member, find_member, visible_members
from wecom.standin.contact_events import act_on_customer
from wecom.standin.faults import FAULT_KINDS
from wecom.standin.phone import approval_view, customer_rows, event_rows, list_view, message_rows
from wecom.standin.wecom_api import ROUTES

if TYPE_CHECKING:
    from wecom.standin.world import World

PARAMETER_WORDS = {
    "times": gettext_lazy("copies"),
    "seconds": gettext_lazy("seconds"),
    "size": gettext_lazy("how many"),
    "errcode": gettext_lazy("error code"),
    "effect": gettext_lazy("it happens all the same"),
    "status": gettext_lazy("HTTP status"),
    "moment": gettext_lazy("when"),
}
TABS = ("todo", "sent", "done", "messages", "customers")
LATEST_EVENTS = 12
# errcode, effect: the answers offered as one-click switches
COMMON_ERRCODES = (-1, 45009, 42001, 40014, 301055, 60020, 301026, 301057)


def respond(world: World, request: Request) -> Response:
    """The page for a path that is neither WeCom's API nor the test interface. Raises ControlError 404."""
    with translation.override(language_of(request)):
        page = _PAGES.get((request.method, request.path))
        if page:
            return page(world, request)
        if request.path.startswith("/phone/approvals/") and request.method == "GET":
            return approval_page(world, request, unquote(request.path.removeprefix("/phone/approvals/")))
        raise ControlError(404, _("There is no such page."))


def home(world: World, request: Request) -> Response:
    return _page(world, "home", {"member": None})


def phone(world: World, request: Request) -> Response:
    member = _member(request.query.get("as", ""))
    if member is None:
        return redirect("/")
    tab = request.query.get("tab", "todo")
    tab = tab if tab in TABS else "todo"
    if tab == "messages":
        return _messages(world, member)
    context: dict[str, Any] = {"member": member, "tab": tab, "tabs": _tabs(world, member)}
    if tab == "customers":
        return _page(world, "customers", context | {"customers": customer_rows(world, member.userid)})
    return _page(world, "list", context | {"approvals": list_view(world, member, tab)})


def _messages(world: World, member: Member, problem: ControlError | None = None) -> Response:
    context = {
        "member": member,
        "tab": "messages",
        "tabs": _tabs(world, member),
        "messages": message_rows(world, member.userid),
        "problem": problem.message if problem else "",
    }
    return _page(world, "messages", context, status=problem.status if problem else 200)


def card_page(world: World, request: Request) -> Response:
    """A button of a card was pressed on the phone."""
    form = request.form()
    member = _member(form.get("as", ""))
    if member is None:
        raise ControlError(404, _("There is no such member."))
    try:
        press(world, member.userid, form.get("task_id", ""), form.get("key", ""))
    except ControlError as problem:
        return _messages(world, member, problem)
    return redirect(f"/phone?{urlencode({'as': member.userid, 'tab': 'messages'})}")


def approval_page(world: World, request: Request, key: str, problem: ControlError | None = None) -> Response:
    source = request.form() if request.method == "POST" else request.query
    approval = world.approvals.find(key)
    member = _member(source.get("as", "")) or (find_member(approval.creator) if approval else None)
    if approval is None or member is None:
        raise ControlError(404, _("There is no such approval."))
    template = world.templates.get(approval.template_id)
    context = approval_view(approval, template, member) | {
        "member": member,
        "tab": source.get("tab", "todo"),
        "colleagues": [other for other in visible_members() if other != member],
        "problem": problem.message if problem else "",
    }
    return _page(world, "approval", context, status=problem.status if problem else 200)


def act_page(world: World, request: Request) -> Response:
    form = request.form()
    key, userid, tab = form.get("key", ""), form.get("as", ""), form.get("tab", "todo")
    try:
        act(
            world,
            key,
            form.get("action", ""),
            userid=userid,
            speech=form.get("speech", "").strip(),
            to=form.get("to", ""),
        )
    except ControlError as problem:
        return approval_page(world, request, key, problem)
    return redirect(f"/phone/approvals/{quote(key)}?{urlencode({'as': userid, 'tab': tab})}")


def engine_page(world: World, request: Request) -> Response:
    """WeCom's form, as a page of the product opened it."""
    return _page(world, "engine", jssdk.opened(world, request))


def customer_page(world: World, request: Request) -> Response:
    """What the member's phone does with a customer: ``add`` with a name, ``delete``, and ``remove_member``, which is
    the customer's doing."""
    form = request.form()
    userid = form.get("as", "")
    told = {name: form[name].strip() for name in ("name", "remark") if form.get(name, "").strip()}
    if form.get("action") != "add" or told.get("name"):
        act_on_customer(world, form.get("key", ""), form.get("action", ""), userid, told)
    return redirect(f"/phone?{urlencode({'as': userid, 'tab': 'customers'})}")


def faults_page(world: World, request: Request, problem: str = "") -> Response:
    context = {
        "member": None,
        "faults": [{"fault": fault, "label": FAULT_KINDS[fault.kind].label} for fault in world.faults.all()],
        "kinds": [
            {
                "name": name,
                "label": kind.label,
                "about": kind.about,
                "parameters": [(name, PARAMETER_WORDS[name], value) for name, value in kind.parameters.items()],
            }
            for name, kind in FAULT_KINDS.items()
        ],
        "endpoints": list(ROUTES),
        "errcodes": COMMON_ERRCODES,
        "held": world.events.counts()["held"],
        "problem": problem,
    }
    return _page(world, "faults", context, status=400 if problem else 200)


def change_faults(world: World, request: Request) -> Response:
    form = request.form()
    try:
        if "remove" in form:
            world.faults.remove(int(form["remove"]) if form["remove"].isdigit() else None)
        elif "end_tokens" in form:
            tokens.end_tokens(world, form["end_tokens"])
        elif "release" in form:
            world.events.release(form["release"], same_second="same_second" in form)
        else:
            world.faults.add(form)
    except ControlError as problem:
        return faults_page(world, request, problem.message)
    return redirect("/faults")


def error_page(error: ControlError) -> Response:
    return html_response(render_to_string("standin/error.html", {"error": error}), error.status)


_PAGES = {
    ("GET", "/"): home,
    ("GET", "/phone"): phone,
    ("POST", "/phone/act"): act_page,
    ("POST", "/phone/card"): card_page,
    ("POST", "/phone/customers"): customer_page,
    ("GET", jssdk.SCRIPT_PATH): jssdk.script,
    ("POST", "/engine/open"): engine_page,
    ("POST", "/engine/start"): jssdk.send_off,
    ("GET", "/faults"): faults_page,
    ("POST", "/faults"): change_faults,
    ("GET", login_pages.QR_PATH): login_pages.qr_page,
    ("GET", login_pages.SILENT_PATH): login_pages.silent_page,
    ("POST", "/login"): login_pages.confirm,
    ("POST", "/language"): lambda world, request: change_language(request),
}


def _page(world: World, name: str, context: dict[str, Any], status: int = 200) -> Response:
    """Renders with what the frame around the phone shows on every page."""
    waiting = world.approvals.count_todo()
    frame = {
        "language": translation.get_language(),
        "people": [{"member": member, "waiting": waiting.get(member.userid, 0)} for member in visible_members()],
        "events": event_rows(world, LATEST_EVENTS),
        "fault_count": len(world.faults.all()),
        "callback_url": world.sender.callback_url,
        "refreshes": name in ("home", "list", "messages"),
        # the answers to forms have no address at which they could be asked for anew
        "follows": status == 200 and name != "engine",
    }
    return html_response(render_to_string(f"standin/{name}.html", frame | context), status)


def _tabs(world: World, member: Member) -> list[tuple[str, str, int]]:
    waiting = world.approvals.count_todo().get(member.userid, 0)
    return [
        ("todo", _("To approve"), waiting),
        ("sent", _("My requests"), 0),
        ("done", _("Decided"), 0),
        ("messages", _("Messages"), count_pressable(world, member.userid)),
        ("customers", _("Customers"), 0),
    ]


def _member(userid: str) -> Member | None:
    member = find_member(userid)
    return member if member in MEMBERS else None
