"""The form that WeCom gets: shapes of doc 91853, from the sealed content only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from approvals import engine, form, mapping, quotes
from approvals.actors import Actor
from approvals.models import ApprovalInstance, ApprovalTemplate, Quote
from approvals.problems import SubmissionProblem
from wecom.oa import Control, TemplateDetail

from .conftest import Standin


@pytest.fixture
def built(standin: Standin, template: ApprovalTemplate) -> Callable[[ApprovalInstance], dict[str, Any]]:
    """The body for an approval, with the stand-in's template and its suggested mapping."""

    def build(instance: ApprovalInstance) -> dict[str, Any]:
        detail = mapping.refresh(template)
        return form.build(instance, detail, mapping.suggest(detail))

    return build


def values(body: dict[str, Any]) -> dict[str, Any]:
    return {content["id"]: content["value"] for content in body["apply_data"]["contents"]}


def change(quote: Quote, li: User, as_actor: Callable[..., Actor], **data: Any) -> None:
    quotes.update_quote(quote=quote, data=data, actor=as_actor(li))


def test_every_value_has_the_shape_of_its_control(quote, li, as_actor, submitted, built):
    change(quote, li, as_actor, valid_until=date(2026, 3, 1), remark="line 1\nline 2", currency="USD")
    instance = submitted()
    sent = values(built(instance))
    assert sent["Text-01"] == {"text": instance.third_no}
    assert sent["Text-03"] == {"text": "华东机电"}
    assert sent["Money-04"] == {"new_money": "3626.48"}
    assert sent["Selector-05"] == {"selector": {"type": "single", "options": [{"key": "option-2"}]}}
    # 2026-03-01 00:00 in China
    assert sent["Date-06"] == {"date": {"type": "day", "s_timestamp": "1772294400"}}
    assert sent["Textarea-08"] == {"text": "line 1\nline 2"}


def test_a_table_row_holds_every_column_the_blank_ones_too(submitted, built):
    rows = values(built(submitted()))["Table-07"]["children"]
    assert rows[1] == {
        "list": [
            {"control": "Text", "id": "Text-11", "value": {"text": "Seal"}},
            {"control": "Text", "id": "Text-12", "value": {"text": ""}},
            {"control": "Number", "id": "Number-13", "value": {"new_number": "2.5"}},
            {"control": "Money", "id": "Money-14", "value": {"new_money": "9.99"}},
            {"control": "Money", "id": "Money-15", "value": {"new_money": "24.98"}},
        ]
    }


def test_single_line_texts_lose_their_line_breaks(quote, li, as_actor, submitted, built):
    change(quote, li, as_actor, title="two\r\nlines", customer_name="  a\tb ")
    sent = values(built(submitted()))
    assert sent["Text-02"] == {"text": "two lines"}
    assert sent["Text-03"] == {"text": "a b"}


def test_optional_controls_without_a_value_are_left_out(submitted, built):
    assert "Date-06" not in values(built(submitted()))


def test_the_summary_fits_the_list_of_the_phone(quote, li, as_actor, submitted, built):
    change(quote, li, as_actor, customer_name="一二三四五六七八九十一二三四五六七八九十长")
    instance = submitted()
    lines = [line["summary_info"][0] for line in built(instance)["summary_list"]]
    assert [line["text"] for line in lines] == [
        instance.third_no,
        "一二三四五六七八九十一二三四五六七八九十",
        "CNY 3,626.48",
    ]
    assert {line["lang"] for line in lines} == {"zh_CN"}


def test_without_approvers_the_flow_of_the_template_is_used(submitted, built):
    body = built(submitted())
    assert body["use_template_approver"] == 1
    assert "process" not in body


@pytest.mark.parametrize(("relation", "number"), [("all", 1), ("any", 2), ("in_turn", 3)])
def test_named_approvers_become_one_node_with_their_relation(submitted, built, relation, number):
    instance = submitted(approvers=["wang.boss", "zhao.vp"])
    instance.chain[0]["relation"] = relation
    body = built(instance)
    assert body["use_template_approver"] == 0
    assert body["process"] == {"node_list": [{"type": 1, "apv_rel": number, "userid": ["wang.boss", "zhao.vp"]}]}


def test_the_form_is_the_sealed_content_not_the_live_quote(quote, submitted, built):
    instance = submitted()
    Quote.objects.filter(pk=quote.pk).update(customer_name="somebody else", total=Decimal(1))
    instance.quote.refresh_from_db()
    sent = values(built(instance))
    assert (sent["Text-03"]["text"], sent["Money-04"]["new_money"]) == ("华东机电", "3626.48")


def test_a_revision_tells_the_approver_what_changed(*, quote, li, as_actor, submitted, built, settings: Settings):
    settings.LANGUAGE_CODE = "en"
    first = submitted()
    engine.withdraw(instance=first, actor=as_actor(li))
    quote.refresh_from_db()
    quotes.revise(quote=quote, actor=as_actor(li))
    quote.refresh_from_db()
    change(quote, li, as_actor, title="四号车间水泵")
    second = submitted()
    text = values(built(second))["Textarea-09"]["text"]
    assert second.third_no.endswith("-2")
    assert "三号车间水泵 → 四号车间水泵" in text
    assert "华东机电" not in text


def test_a_currency_the_template_does_not_offer_is_refused_not_dropped(quote, li, as_actor, submitted, built):
    change(quote, li, as_actor, currency="CHF")
    with pytest.raises(SubmissionProblem, match="CHF") as caught:
        built(submitted())
    assert caught.value.code == "option_missing"


def _selector(*texts: str) -> Control:
    options = [{"key": f"option-{n}", "value": [{"text": text, "lang": "zh_CN"}]} for n, text in enumerate(texts)]
    config = {"selector": {"type": "single", "options": options}}
    return Control("Selector-02", "Selector", "币种", required=True, config=config)


@pytest.mark.parametrize(
    ("texts", "key"),
    [(("美元", "人民币"), "option-1"), (("USD 美元", "CNY 人民币"), "option-1"), (("cny", "HKD"), "option-0")],
)
def test_a_currency_is_found_by_code_or_by_name(submitted, texts, key):
    detail = TemplateDetail("", [Control("Text-01", "Text", "编号", required=True), _selector(*texts)])
    body = form.build(submitted(), detail, {"third_no": "Text-01", "currency": "Selector-02"})
    assert values(body)["Selector-02"]["selector"]["options"] == [{"key": key}]


def test_a_required_control_without_a_value_is_said_before_wecom_is_asked(submitted):
    detail = TemplateDetail(
        "",
        [
            Control("Text-01", "Text", "编号", required=True),
            Control("Date-02", "Date", "有效期", required=True, config={"date": {"type": "day"}}),
        ],
    )
    with pytest.raises(SubmissionProblem, match="有效期") as caught:
        form.build(submitted(), detail, {"third_no": "Text-01", "valid_until": "Date-02"})
    assert caught.value.code == "value_missing"


def test_items_fit_into_a_text_where_the_template_has_no_table(submitted):
    detail = TemplateDetail(
        "",
        [Control("Text-01", "Text", "编号", required=True), Control("Textarea-02", "Textarea", "明细", required=True)],
    )
    sent = values(form.build(submitted(), detail, mapping.suggest(detail)))
    assert sent["Textarea-02"]["text"].splitlines() == [
        "1. Pump X1 DN50: 3 × 1,200.50 = 3,601.50",
        "2. Seal: 2.5 × 9.99 = 24.98",
    ]


def test_unmapped_columns_of_any_type_are_sent_blank(submitted):
    columns = (
        Control("Text-03", "Text", "名称", required=True),
        Control("Contact-04", "Contact", "负责人", required=False, config={"contact": {"mode": "user"}}),
        Control("File-05", "File", "图纸", required=False),
        Control("Formula-06", "Formula", "小计", required=False),
    )
    detail = TemplateDetail(
        "",
        [
            Control("Text-01", "Text", "编号", required=True),
            Control("Table-02", "Table", "明细", required=True, children=columns),
        ],
    )
    sent = values(form.build(submitted(), detail, mapping.suggest(detail)))
    assert [cell["value"] for cell in sent["Table-02"]["children"][0]["list"]] == [
        {"text": "Pump X1"},
        {"members": []},
        {"files": []},
        {},
    ]
