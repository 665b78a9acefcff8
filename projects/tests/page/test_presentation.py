"""A project in the words of the page: its steps and its values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation

from projects.models import ProjectStatusChange
from projects.page.fields import name_of, value_text
from projects.page.presentation import ProjectView, present


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


def shown(kind: str, status: str, *changes: tuple[str, str], **fields: Any) -> ProjectView:
    """``changes``: from and to, newest first."""
    rows = [
        ProjectStatusChange(old_status=old, new_status=new, at=datetime(2026, 2, 2, 4, tzinfo=UTC))
        for old, new in changes
    ]
    project = {"id": "P-1", "type": kind, "title": "Pumps", "status": status} | fields
    return present(project, rows, pattern="HH:mm", zone="Asia/Shanghai")


def steps(view: ProjectView) -> str:
    """Done steps with a tick, the present one in brackets."""
    marks = {"done": "{}✓", "current": "[{}]", "ahead": "{}"}
    return " ".join(marks[step.state].format(step.status) for step in view.steps)


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("presale", "pending", "[pending] processing completed"),
        ("presale", "processing", "pending✓ [processing] completed"),
        ("presale", "resolved", "pending✓ processing✓ [resolved] completed"),
        ("aftersales", "resolved", "pending✓ processing✓ [resolved] completed"),
        ("aftersales", "shipped", "pending✓ processing✓ resolved✓ [shipped] completed"),
        ("sales", "processing", "pending✓ [processing] shipped completed"),
        ("sales", "completed", "pending✓ processing✓ shipped✓ [completed]"),
    ],
)
def test_the_way_of_each_type(kind: str, status: str, expected: str):
    assert steps(shown(kind, status)) == expected


def test_where_a_project_has_been_stays_on_its_way():
    view = shown("sales", "completed", ("resolved", "completed"), ("pending", "resolved"))
    assert steps(view) == "pending✓ processing✓ resolved✓ shipped✓ [completed]"


def test_a_project_that_went_back_is_where_it_is():
    view = shown("sales", "processing", ("shipped", "processing"), ("processing", "shipped"))
    assert steps(view) == "pending✓ [processing] shipped completed"
    assert [step.reached and step.reached.text for step in view.steps] == [None, "12:00", None, None]


def test_known_fields_come_in_the_order_of_their_type():
    fields = {"remark": "R", "phone": "1", "serial_number": "S", "device": "D", "amount": "9.00", "zzz": 1, "aaa": 2}
    assert [fact.value for fact in shown("aftersales", "pending", **fields).facts] == ["D", "S", "1", "9.00", "R"]
    assert [fact.value for fact in shown("sales", "pending", **fields).facts] == ["D", "9.00", "1", "S", "R"]
    assert [fact.name for fact in shown("sales", "pending", **fields).more] == ["Zzz", "Aaa"]


def test_empty_fields_are_left_out():
    view = shown("sales", "pending", phone="", product=None, carrier=[], remark="  ", notes={"a": None}, quantity=0)
    assert [(fact.name, fact.value) for fact in view.facts + view.more] == [("Quantity", "0")]


@pytest.mark.parametrize(
    "stakeholders", [None, [], [{"role": "customer", "name": "C"}], [{"role": "engineer", "name": ""}]]
)
def test_people_are_ours_and_have_names(stakeholders: Any):
    assert shown("sales", "pending", stakeholders=stakeholders).people == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "Yes"),
        (False, "No"),
        (0, "0"),
        (1.5, "1.5"),
        (None, ""),
        (["a", "b", ""], "a, b"),
        ({"rack_unit": 3, "empty": None}, "Rack unit: 3"),
        ([{"product": "P", "quantity": 2}, {"product": "Q"}], "Product: P\nQuantity: 2\nProduct: Q"),
        ({"a": {"b": [True, 2]}}, "A: B: Yes, 2"),
    ],
)
def test_values_read_well(value: Any, text: str):
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("key", "name"), [("tracking_number", "Shipping number"), ("rack_unit", "Rack unit"), ("位置", "位置"), ("_", "_")]
)
def test_names(key: str, name: str):
    assert name_of(key) == name
