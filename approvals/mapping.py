"""Which control of a WeCom template carries which field of a quote.

A mapping is flat JSON: field → control ID, and for the columns of a Table ``items.<field>`` → ID of the sub-control.
It is suggested from the controls' types and titles, checked against the template, and kept on ``ApprovalTemplate``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.models import ApprovalTemplate
from wecom.client import for_config
from wecom.oa import Control, TemplateDetail, get_template_detail

FILLED_BY_WECOM = frozenset({"Tips", "Formula"})
"""Controls that a submission leaves out (doc 91853)."""
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a quote. ``types``: controls that can carry it; ``words``: titles that mean it, best first."""

    name: str
    label: str | Promise
    types: tuple[str, ...]
    words: tuple[str, ...]


_TEXT = ("Text", "Textarea")
_LINES = ("Textarea", "Text")
_AMOUNT = ("Money", "Number")

# The order is that of the suggestion: what is most particular takes its control first ("客户电话" is a phone, not a
# customer).
FIELDS = (
    Field(
        "third_no",
        gettext_lazy("approval number of this system"),
        ("Text",),
        ("审批编号", "报价单号", "报价编号", "编号", "单号", "approval number", "quote number", "reference", "number"),
    ),
    Field("quote_number", gettext_lazy("quote number"), _TEXT, ("报价单号", "报价编号", "quote number", "单号")),
    Field("difference", gettext_lazy("changes"), _LINES, ("变更", "修改", "差异", "change", "difference")),
    Field("link", gettext_lazy("link"), _TEXT, ("链接", "网址", "link", "url")),
    Field("phone", gettext_lazy("phone"), _TEXT, ("电话", "手机", "phone", "mobile")),
    Field("contact", gettext_lazy("contact"), _TEXT, ("联系人", "contact")),
    Field("valid_until", gettext_lazy("valid until"), ("Date",), ("有效期", "截止", "valid", "expir")),
    Field("currency", gettext_lazy("currency"), ("Selector", "Text"), ("币种", "货币", "currency")),
    Field("total", gettext_lazy("total"), _AMOUNT, ("总金额", "合计", "总价", "总额", "金额", "total", "amount")),
    Field("items", gettext_lazy("items"), ("Table", "Textarea"), ("明细", "清单", "产品", "item", "product", "detail")),
    Field("customer_name", gettext_lazy("customer"), _TEXT, ("客户", "customer", "client", "company")),
    Field("title", gettext_lazy("title"), _TEXT, ("标题", "主题", "项目", "title", "subject", "project")),
    Field("remark", gettext_lazy("remark"), _LINES, ("备注", "说明", "remark", "note", "comment")),
)
ITEM_FIELDS = (
    Field("items.specification", gettext_lazy("specification"), _TEXT, ("规格", "型号", "spec", "model")),
    Field("items.quantity", gettext_lazy("quantity"), ("Number", "Text"), ("数量", "quantity", "qty")),
    Field("items.unit_price", gettext_lazy("unit price"), _AMOUNT, ("单价", "unit price", "price")),
    Field("items.amount", gettext_lazy("amount"), _AMOUNT, ("金额", "小计", "合计", "amount", "subtotal", "total")),
    Field(
        "items.name", gettext_lazy("name"), _TEXT, ("名称", "产品", "物料", "name", "product", "item", "description")
    ),
)
_BY_NAME = {field.name: field for field in (*FIELDS, *ITEM_FIELDS)}


def suggest(detail: TemplateDetail) -> dict[str, str]:
    """A mapping guessed from the controls' types and titles; fields without a matching control are left out."""
    mapping = _matches(FIELDS, detail.controls)
    table = _by_id(detail.controls).get(mapping.get("items", ""))
    if table is not None and table.type == "Table":
        mapping.update(_matches(ITEM_FIELDS, table.children))
    return mapping


def _matches(fields: Iterable[Field], controls: Iterable[Control]) -> dict[str, str]:
    free = list(controls)
    found: dict[str, str] = {}
    for field in fields:
        control = _best(field, free)
        if control is not None:
            found[field.name] = control.id
            free.remove(control)
    return found


def _best(field: Field, controls: list[Control]) -> Control | None:
    """The control whose title is the best word for the field: an equal title before one that contains the word."""
    fitting = [control for control in controls if control.type in field.types]
    for word in field.words:
        for control in fitting:
            if control.title.strip().casefold() == word:
                return control
    for word in field.words:
        for control in fitting:
            if word in control.title.casefold():
                return control
    # a form has one list of items at most, whatever it is called
    tables = [control for control in fitting if field.name == "items" and control.type == "Table"]
    return tables[0] if len(tables) == 1 else None


def problems(mapping: Mapping[str, Any], detail: TemplateDetail) -> list[str]:
    """What stands in the way of a submission with this mapping, as sentences; empty when nothing does."""
    controls = _by_id(detail.controls)
    found = []
    if not mapping.get("third_no"):
        found.append(_("No control carries the approval number; without it WeCom's answer cannot be recognised."))
    top = {name: value for name, value in mapping.items() if not name.startswith("items.")}
    found += _wrong_entries(top, controls)
    found += _unmapped(detail.controls, top.values())
    table = controls.get(str(mapping.get("items", "")))
    columns = {name: value for name, value in mapping.items() if name.startswith("items.")}
    if table is not None and table.type == "Table":
        found += _wrong_entries(columns, _by_id(table.children))
        found += _unmapped(table.children, columns.values())
    elif columns and table is None:
        found.append(_("Columns of a table are mapped, but “items” names no table of the template."))
    return found


def _wrong_entries(mapping: Mapping[str, Any], controls: Mapping[str, Control]) -> list[str]:
    found = []
    for name, control_id in mapping.items():
        field, control = _BY_NAME.get(name), controls.get(str(control_id))
        if field is None:
            found.append(_("“%(field)s” is not a field of a quote.") % {"field": name})
        elif control is None:
            found.append(
                _("The control %(control)s, which should carry “%(field)s”, is not in the template (any more).")
                % {"control": control_id, "field": field.label}
            )
        elif control.type not in field.types:
            found.append(
                _("“%(title)s” is of type %(type)s and cannot carry “%(field)s”; possible are %(types)s.")
                % {
                    "title": control.title,
                    "type": control.type,
                    "field": field.label,
                    "types": ", ".join(field.types),
                }
            )
    carried = [str(control_id) for control_id in mapping.values()]
    doubled = sorted({control_id for control_id in carried if carried.count(control_id) > 1})
    return found + [_("The control %(control)s is mapped twice.") % {"control": control_id} for control_id in doubled]


def _unmapped(controls: Iterable[Control], mapped: Iterable[Any]) -> list[str]:
    carried = {str(control_id) for control_id in mapped}
    return [
        _("The template requires “%(title)s”, but no field of the quote is mapped to it.") % {"title": control.title}
        for control in controls
        if control.required and control.id not in carried and control.type not in FILLED_BY_WECOM
    ]


def _by_id(controls: Iterable[Control]) -> dict[str, Control]:
    return {control.id: control for control in controls}


def refresh(template: ApprovalTemplate) -> TemplateDetail:
    """Read the template from WeCom and keep its name and controls. Raises ``wecom.errors.WeComError``."""
    detail = get_template_detail(for_config(template.config), template.template_id)
    template.name = detail.name[:LONGEST_NAME] or template.name
    template.controls = [_stored(control) for control in detail.controls]
    template.checked_at = timezone.now()
    template.save(update_fields=["name", "controls", "checked_at"])
    return detail


def _stored(control: Control) -> dict[str, Any]:
    """As JSON. Of WeCom's own configuration only what building a value needs; a Table's repeats its children."""
    kept = {key: value for key, value in control.config.items() if key in ("date", "selector", "contact")}
    return {
        "id": control.id,
        "type": control.type,
        "title": control.title,
        "required": control.required,
        "children": [_stored(child) for child in control.children],
        "config": kept,
    }


def stored_detail(template: ApprovalTemplate) -> TemplateDetail:
    """The template as it was last read from WeCom; without controls if it never was."""
    return TemplateDetail(name=template.name, controls=[_loaded(entry) for entry in template.controls])


def _loaded(entry: Mapping[str, Any]) -> Control:
    children = tuple(_loaded(child) for child in entry["children"])
    return Control(**{**entry, "children": children})


def ready_detail(template: ApprovalTemplate) -> TemplateDetail:
    """What a submission needs: the controls, and a mapping, suggested and kept if there is none.

    Reads WeCom only where something is missing. Raises ``wecom.errors.WeComError``.
    """
    detail = stored_detail(template) if template.controls else refresh(template)
    if not template.mapping:
        template.mapping = suggest(detail)
        template.save(update_fields=["mapping"])
    return detail
