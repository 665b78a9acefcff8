"""The pages for people: the projects, one project to change, the fault switches. Plain forms and redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.standin.errors import ControlError
from config.standin.web import Request, Response, change_language, html_response, language_of, redirect
from projects.standin.faults import LIST, SINGLE
from projects.standin.words import COLOURS, ROLES, STATUSES, TYPES, WAYS, next_status

if TYPE_CHECKING:
    from projects.standin.world import World

ROWS = 20
PROJECT = "/change/"
FIELDS = ("title", "customer_name", "phone")
"""What the form of a project changes, besides its status."""
WORDS = {
    "seconds": gettext_lazy("seconds"),
    "status": gettext_lazy("HTTP status"),
    "size": gettext_lazy("how many"),
    "from_page": gettext_lazy("from page"),
}
NOT_LISTED = {"id", "type", "status", "stakeholders", *FIELDS}


def respond(world: World, request: Request) -> Response:
    """The page for a path that is neither the library's API nor the test interface. Raises ControlError 404."""
    with translation.override(language_of(request)):
        page = _PAGES.get((request.method, request.path))
        if page:
            return page(world, request)
        if request.path.startswith(PROJECT):
            project_id = unquote(request.path.removeprefix(PROJECT))
            return (change if request.method == "POST" else show)(world, request, project_id)
        raise ControlError(404, _("There is no such page."))


def projects(world: World, request: Request) -> Response:
    asked = {name: request.query.get(name, "") for name in ("q", "type", "status")}
    number = max(1, int(request.query["page"])) if request.query.get("page", "").isdecimal() else 1
    found = world.library.search(
        asked["q"].strip(), asked["type"], asked["status"], limit=ROWS + 1, first=(number - 1) * ROWS
    )
    context = {
        "rows": [_row(row) for row in found[:ROWS]],
        "asked": asked,
        "types": TYPES,
        "statuses": STATUSES,
        "total": world.library.count(),
        "before": urlencode(asked | {"page": number - 1}) if number > 1 else "",
        "after": urlencode(asked | {"page": number + 1}) if len(found) > ROWS else "",
    }
    return _page(world, request, "list", context)


def show(world: World, request: Request, project_id: str) -> Response:
    project = world.library.project(project_id)
    kind, status = project["type"], project["status"]
    way = WAYS.get(kind, tuple(STATUSES))
    context = {
        "project": project,
        "kind": TYPES.get(kind, kind),
        "status": STATUSES.get(status, status),
        "colour": COLOURS.get(status, "gone"),
        "way": [(name, STATUSES[name]) for name in way],
        "next": next_status(kind, status) if kind in WAYS else "",
        "people": [_person(person) for person in project.get("stakeholders", [])],
        "facts": [(name, value) for name, value in project.items() if name not in NOT_LISTED],
    }
    return _page(world, request, "project", context)


def change(world: World, request: Request, project_id: str) -> Response:
    form = request.form()
    if "remove" in form:
        world.library.remove(project_id)
        return redirect("/")
    world.library.change(project_id, {name: form[name].strip() for name in (*FIELDS, "status") if name in form})
    return redirect(PROJECT + quote(project_id, safe=""))


def add(world: World, request: Request) -> Response:
    form = {name: text.strip() for name, text in request.form().items() if text.strip()}
    project = world.library.add({name: form[name] for name in ("type", "title", "customer_name") if name in form})
    return redirect(PROJECT + quote(project["id"], safe=""))


def faults_page(world: World, request: Request, problem: str = "") -> Response:
    context = {
        "on": [{"fault": fault, "label": world.faults.kinds[fault.kind].label} for fault in world.faults.all()],
        "kinds": [
            {
                "name": name,
                "label": kind.label,
                "about": kind.about,
                "parameters": [(name, WORDS[name], value) for name, value in kind.parameters.items()],
            }
            for name, kind in world.faults.kinds.items()
        ],
        "endpoints": [LIST, SINGLE],
        "problem": problem,
    }
    return _page(world, request, "faults", context, status=400 if problem else 200)


def change_faults(world: World, request: Request) -> Response:
    form = request.form()
    try:
        if "remove" in form:
            world.faults.remove(int(form["remove"]) if form["remove"].isdigit() else None)
        else:
            world.faults.add(form)
    except ControlError as problem:
        return faults_page(world, request, problem.message)
    return redirect("/faults")


def error_page(request: Request, error: ControlError) -> Response:
    with translation.override(language_of(request)):
        return html_response(render_to_string("projects_standin/error.html", {"error": error}), error.status)


_PAGES = {
    ("GET", "/"): projects,
    ("POST", "/"): add,
    ("GET", "/faults"): faults_page,
    ("POST", "/faults"): change_faults,
    ("POST", "/language"): lambda world, request: change_language(request),
}


def _page(world: World, request: Request, name: str, context: dict[str, Any], status: int = 200) -> Response:
    frame = {"language": translation.get_language(), "fault_count": len(world.faults.all())}
    return html_response(render_to_string(f"projects_standin/{name}.html", frame | context), status)


def _row(row: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "title": row["title"],
        "customer": row["customer_name"],
        "kind": TYPES.get(row["type"], row["type"]),
        "status": STATUSES.get(row["status"], row["status"]),
        "colour": COLOURS.get(row["status"], "gone"),
    }


def _person(person: dict[str, Any]) -> tuple[Any, str, str]:
    """Role in words, name, and how to reach them."""
    contacts = [str(person[name]) for name in ("wecom_userid", "phone", "email") if person.get(name)]
    return ROLES.get(person["role"], person["role"]), str(person.get("name", "")), " · ".join(contacts)
