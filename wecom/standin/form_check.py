"""``apply_data`` against its template, as strict as the documents allow (doc 91853): 301025 or nothing.

Numbers, amounts and time stamps are strings in this API; a bare number is refused, which is where most
clients go wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from wecom.standin.errors import invalid_form
from wecom.standin.form_template import Control, FormTemplate

MOST_FILES = 6
FILLED_BY_WECOM = {"Tips", "Formula"}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def check_contents(template: FormTemplate, contents: Any) -> list[dict[str, Any]]:
    """Returns ``contents``. Raises ApiError 301025 with the control at fault."""
    if not isinstance(contents, list) or not contents:
        raise invalid_form("apply_data.contents is empty")
    seen: set[str] = set()
    for content in contents:
        control_id = _content_id(content)
        control = template.control(control_id)
        if control is None:
            raise invalid_form(f"control {control_id!r} is not in the template")
        if control_id in seen:
            raise invalid_form(f"control {control_id!r} is given twice")
        seen.add(control_id)
        _check_control(control, content)
    for control in template.controls:
        if control["property"]["require"] and control["property"]["id"] not in seen:
            raise invalid_form(f"required control {control['property']['id']!r} is missing")
    if sum(len(content["value"].get("files", [])) for content in contents) > MOST_FILES:
        raise invalid_form(f"more than {MOST_FILES} files")
    return contents


def _content_id(content: Any) -> str:
    if not isinstance(content, dict) or not isinstance(content.get("id"), str):
        raise invalid_form("a control has no id")
    return str(content["id"])


def _check_control(control: Control, content: dict[str, Any]) -> None:
    kind, control_id = control["property"]["control"], control["property"]["id"]
    if content.get("control") != kind:
        raise invalid_form(f"control {control_id!r} is a {kind}, not a {content.get('control')}")
    value = content.get("value")
    if not isinstance(value, dict):
        raise invalid_form(f"control {control_id!r} has no value object")
    if kind in FILLED_BY_WECOM:
        return
    problem = _CHECKS[kind](control, value)
    if problem:
        raise invalid_form(f"control {control_id!r}: {problem}")
    if control["property"]["require"] and is_empty(kind, value):
        raise invalid_form(f"required control {control_id!r} is empty")


_PLACE_OF_VALUE = {
    "Text": ("text",),
    "Textarea": ("text",),
    "Number": ("new_number",),
    "Money": ("new_money",),
    "Date": ("date", "s_timestamp"),
    "Selector": ("selector", "options"),
    "File": ("files",),
    "Table": ("children",),
    "RelatedApproval": ("related_approval",),
}


def is_empty(kind: str, value: dict[str, Any]) -> bool:
    if kind == "Contact":
        return not (value.get("members") or value.get("departments"))
    found: Any = value
    for step in _PLACE_OF_VALUE[kind]:
        found = found.get(step) if isinstance(found, dict) else None
    return not found


def _check_text(control: Control, value: dict[str, Any]) -> str:
    text = value.get("text", "")
    if not isinstance(text, str):
        return "text must be a string"
    if control["property"]["control"] == "Text" and ("\n" in text or "\r" in text):
        return "text must not contain line breaks"
    return ""


def _check_amount(control: Control, value: dict[str, Any]) -> str:
    name = "new_money" if control["property"]["control"] == "Money" else "new_number"
    amount = value.get(name, "")
    if not isinstance(amount, str) or (amount and not _NUMBER.fullmatch(amount)):
        return f"{name} must be a string with a decimal number"
    return ""


def _check_date(control: Control, value: dict[str, Any]) -> str:
    date = value.get("date", {})
    if not isinstance(date, dict):
        return "date must be an object"
    stamp = date.get("s_timestamp", "")
    if not isinstance(stamp, str) or (stamp and not stamp.isdigit()):
        return "date.s_timestamp must be a string of seconds"
    if stamp and date.get("type") != control["config"]["date"]["type"]:
        return "date.type is not the template's"
    return ""


def _check_selector(control: Control, value: dict[str, Any]) -> str:
    selector, config = value.get("selector", {}), control["config"]["selector"]
    options = selector.get("options", []) if isinstance(selector, dict) else None
    if not isinstance(options, list) or not all(isinstance(option, dict) for option in options):
        return "selector.options must be a list of objects"
    if options and selector.get("type") != config["type"]:
        return "selector.type is not the template's"
    if config["type"] == "single" and len(options) > 1:
        return "only one option may be chosen"
    known = {option["key"] for option in config["options"]}
    unknown = [str(option.get("key")) for option in options if option.get("key") not in known]
    return f"unknown option {', '.join(unknown)}" if unknown else ""


def _check_table(control: Control, value: dict[str, Any]) -> str:
    rows = value.get("children", [])
    if not isinstance(rows, list):
        return "children must be a list of rows"
    children = {child["property"]["id"]: child for child in control["config"]["table"]["children"]}
    for number, row in enumerate(rows, 1):
        cells = row.get("list") if isinstance(row, dict) else None
        if not isinstance(cells, list):
            return f"row {number} has no list"
        given = [_content_id(cell) for cell in cells]
        if sorted(given) != sorted(children):
            return f"row {number} must hold all sub-controls once: {', '.join(children)}"
        for cell in cells:
            _check_control(children[cell["id"]], cell)
    return ""


def _check_list(name: str) -> Callable[[Control, dict[str, Any]], str]:
    def check(control: Control, value: dict[str, Any]) -> str:
        return "" if isinstance(value.get(name, []), list) else f"{name} must be a list"

    return check


_CHECKS: dict[str, Callable[[Control, dict[str, Any]], str]] = {
    "Text": _check_text,
    "Textarea": _check_text,
    "Number": _check_amount,
    "Money": _check_amount,
    "Date": _check_date,
    "Selector": _check_selector,
    "Table": _check_table,
    "File": _check_list("files"),
    "Contact": _check_list("members"),
    "RelatedApproval": _check_list("related_approval"),
}
