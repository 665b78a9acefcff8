"""The approval templates that exist in the stand-in, in the shape ``gettemplatedetail`` returns (doc 91982)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wecom.standin import flow

Control = dict[str, Any]

EXPENSE_TEMPLATE_ID = "TplExpenseDemo"


@dataclass(frozen=True, slots=True)
class FormTemplate:
    """``console_flow`` is the flow of the console, used with ``use_template_approver`` = 1.

    ``quiet``: the console's switch for callbacks is off for this template, so its forms raise none.
    """

    id: str
    name: str
    controls: tuple[Control, ...]
    console_flow: tuple[tuple[int, int, tuple[str, ...]], ...]
    quiet: bool = False

    def nodes(self) -> list[flow.Node]:
        return [flow.new_node(kind, relation, list(userids)) for kind, relation, userids in self.console_flow]

    def control(self, control_id: str) -> Control | None:
        return next((control for control in self.controls if control_id == control["property"]["id"]), None)

    def detail(self) -> dict[str, Any]:
        return {
            "template_names": [text(self.name)],
            "template_content": {"controls": [dict(control) for control in self.controls]},
        }


def text(value: str) -> dict[str, str]:
    return {"text": value, "lang": "zh_CN"}


def _control(
    kind: str, number: int, title: str, *, required: bool = False, config: dict[str, Any] | None = None
) -> Control:
    control: Control = {
        "property": {
            "control": kind,
            "id": f"{kind}-{number:02d}",
            "title": [text(title)],
            "placeholder": [text("")],
            "require": int(required),
            "un_print": 0,
        }
    }
    if config:
        control["config"] = config
    return control


def _currency() -> dict[str, Any]:
    names = ("CNY", "USD", "EUR", "HKD", "JPY", "GBP")
    options = [{"key": f"option-{number}", "value": [text(name)]} for number, name in enumerate(names, 1)]
    return {"selector": {"type": "single", "exp_type": 0, "options": options, "op_relations": []}}


def _items() -> dict[str, Any]:
    children = [
        _control("Text", 11, "名称", required=True),
        _control("Text", 12, "规格"),
        _control("Number", 13, "数量", required=True),
        _control("Money", 14, "单价", required=True),
        _control("Money", 15, "金额"),
    ]
    return {"table": {"children": children, "stat_field": []}}


def quote_template(template_id: str) -> FormTemplate:
    """The quotation form: the director, then one of the two at the top, with a copy to finance."""
    return FormTemplate(
        id=template_id,
        name="报价审批",
        controls=(
            _control("Text", 1, "审批编号", required=True),
            _control("Text", 2, "标题"),
            _control("Text", 3, "客户", required=True),
            _control("Money", 4, "总金额", required=True),
            _control("Selector", 5, "币种", config=_currency()),
            _control("Date", 6, "有效期", config={"date": {"type": "day"}}),
            _control("Table", 7, "明细", required=True, config=_items()),
            _control("Textarea", 8, "备注"),
            _control("Textarea", 9, "变更说明"),
        ),
        console_flow=(
            (flow.APPROVER, flow.ALL, ("sun.director",)),
            (flow.APPROVER, flow.ANY, ("wang.boss", "zhao.vp")),
            (flow.COPY, flow.ALL, ("finance01",)),
        ),
    )


def expense_template() -> FormTemplate:
    """A second form of the same company, so that the phone does not look like a test rig. Raises no events."""
    return FormTemplate(
        id=EXPENSE_TEMPLATE_ID,
        name="费用报销",
        controls=(
            _control("Text", 1, "事由", required=True),
            _control("Money", 2, "报销金额", required=True),
            _control("Textarea", 3, "说明"),
        ),
        console_flow=((flow.APPROVER, flow.ALL, ("finance01",)), (flow.APPROVER, flow.ALL, ("zhao.vp",))),
        quiet=True,
    )
