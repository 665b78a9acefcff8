"""Which control carries what: suggested, checked, read from WeCom."""

from __future__ import annotations

import pytest

from approvals import mapping
from approvals.models import ApprovalTemplate
from wecom.oa import Control, TemplateDetail

from .conftest import Standin

CHINESE = {
    "third_no": "Text-01",
    "title": "Text-02",
    "customer_name": "Text-03",
    "total": "Money-04",
    "currency": "Selector-05",
    "valid_until": "Date-06",
    "items": "Table-07",
    "remark": "Textarea-08",
    "difference": "Textarea-09",
    "items.name": "Text-11",
    "items.specification": "Text-12",
    "items.quantity": "Number-13",
    "items.unit_price": "Money-14",
    "items.amount": "Money-15",
}


def control(
    kind: str, number: int, title: str, *, required: bool = False, children: tuple[Control, ...] = ()
) -> Control:
    return Control(f"{kind}-{number:02d}", kind, title, required, children)


def detail(*controls: Control) -> TemplateDetail:
    return TemplateDetail("A form", list(controls))


def test_a_template_read_from_wecom_gets_its_mapping_from_chinese_titles(standin: Standin, template: ApprovalTemplate):
    found = mapping.refresh(template)
    assert mapping.suggest(found) == CHINESE
    assert mapping.problems(CHINESE, found) == []


def test_what_was_read_is_kept_with_the_template(standin: Standin, template: ApprovalTemplate):
    found = mapping.refresh(template)
    template.refresh_from_db()
    assert template.name == "报价审批"
    assert template.checked_at is not None
    kept = mapping.stored_detail(template)
    assert [entry.id for entry in kept.controls] == [entry.id for entry in found.controls]
    assert kept.controls[4].config["selector"]["options"][0]["key"] == "option-1"
    assert [child.id for child in kept.controls[6].children][-1] == "Money-15"
    assert mapping.problems(CHINESE, kept) == []


def test_english_titles_are_understood():
    english = detail(
        control("Text", 1, "Quote number", required=True),
        control("Text", 2, "Customer phone"),
        control("Text", 3, "Customer name"),
        control("Text", 4, "Contact person"),
        control("Number", 5, "Grand total"),
        control("Date", 6, "Valid until"),
        control("Textarea", 7, "Changes since last revision"),
        control("Textarea", 8, "Remarks"),
        control("Table", 9, "Lines", children=(control("Text", 10, "Product"), control("Number", 11, "Qty"))),
    )
    assert mapping.suggest(english) == {
        "third_no": "Text-01",
        "phone": "Text-02",
        "customer_name": "Text-03",
        "contact": "Text-04",
        "total": "Number-05",
        "valid_until": "Date-06",
        "difference": "Textarea-07",
        "remark": "Textarea-08",
        "items": "Table-09",
        "items.name": "Text-10",
        "items.quantity": "Number-11",
    }


def test_an_equal_title_wins_over_one_that_only_contains_the_word():
    both = detail(control("Text", 1, "旧编号"), control("Text", 2, "编号"))
    assert mapping.suggest(both)["third_no"] == "Text-02"


def test_a_control_carries_one_field_only():
    one = detail(control("Text", 1, "报价单号"))
    assert mapping.suggest(one) == {"third_no": "Text-01"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"third_no": None}, "单号"),
        ({"total": None}, "总金额"),
        ({"items.name": None}, "名称"),
        ({"title": "Text-99"}, "Text-99"),
        ({"remark": "Date-06", "valid_until": None}, "有效期"),
        ({"items.amount": "Money-04"}, "Money-04"),
        ({"colour": "Text-02", "title": None}, "colour"),
        ({"title": "Text-01"}, "Text-01"),
    ],
)
def test_each_problem_is_a_sentence_that_names_its_control(
    standin: Standin, template: ApprovalTemplate, changes: dict[str, str | None], named: str
):
    wrong = {name: value for name, value in (CHINESE | changes).items() if value is not None}
    problems = mapping.problems(wrong, mapping.refresh(template))
    assert problems
    assert any(named in sentence for sentence in problems)


def test_controls_that_wecom_fills_in_need_no_field():
    assert (
        mapping.problems(
            {"third_no": "Text-01"},
            detail(control("Text", 1, "编号", required=True), control("Formula", 2, "合计", required=True)),
        )
        == []
    )


def test_columns_without_their_table_are_a_problem():
    assert mapping.problems({"third_no": "Text-01", "items.name": "Text-02"}, detail(control("Text", 1, "编号")))
