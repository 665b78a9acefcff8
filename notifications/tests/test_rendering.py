"""``{{ name }}`` and nothing else."""

from __future__ import annotations

import time

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from notifications.rendering import MOST_PROBLEMS, check, render, variables_in

FACTS = {"title": "二号线水泵", "status": "已发货"}


@pytest.mark.parametrize("text", ["{{ title }}：{{status}}", "{{title}}：{{ status\t}}"])
def test_names_become_facts(text: str) -> None:
    assert check(text, FACTS) == []
    assert render(text, FACTS) == "二号线水泵：已发货"
    assert variables_in(text + text) == ["title", "status"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ title.__class__ }}",
        "{{ title.upper() }}",
        "{{ title|safe }}",
        "{{ title[0] }}",
        "{{ 'x'*9 }}",
        "{{ 1 }}",
        "{% include '/etc/passwd' %}",
        "{% for x in title %}{% endfor %}",
        "{{ }}",
        "{{",
        "}}",
        "{{ title }",
        "{{ ti\ntle }}",
        "{{{{ title }}}}",
        "{{ {{ title }} }}",
        "{{ " + "a" * 100_000 + " }}",
    ],
)
def test_nothing_else_is_accepted_or_does_anything(text: str) -> None:
    assert check(text, FACTS)
    rest = render(text, FACTS).replace("二号线水泵", "{{ title }}")
    assert rest == text  # apart from the good placeholder inside, it stays what it was: text


def test_a_problem_says_where_it_is_and_what_was_probably_meant() -> None:
    problem = check("您好\n项目 {{ titel }} 已更新", FACTS)[0]
    assert (problem.line, problem.column) == (2, 7)
    assert "titel" in problem.sentence
    assert "title" in problem.sentence.replace("titel", "")
    assert "2" in str(problem) and "7" in str(problem)


def test_a_problem_is_said_in_chinese_without_english_spaces() -> None:
    with translation.override("zh-hans"):
        assert str(check("{{ titel }}", FACTS)[0]) == "第 1 行第 4 列：没有变量“titel”。是否想用“title”？"


def test_every_problem_is_told_in_the_order_of_the_text() -> None:
    problems = check("}} {{ a.b }}\n{{ none }} {{", FACTS)
    assert [(problem.line, problem.column) for problem in problems] == [(1, 1), (1, 4), (2, 4), (2, 12)]


def test_a_fact_that_looks_like_a_placeholder_stays_text() -> None:
    assert render("{{ title }} {{ status }}", {"title": "{{ status }}", "status": "{{ title }}"}) == (
        "{{ status }} {{ title }}"
    )


def test_a_name_without_a_fact_leaves_a_gap() -> None:
    assert render("a {{ gone }} b", FACTS) == "a  b"


@pytest.mark.timed
@pytest.mark.parametrize("text", ["{{" * 100_000, "{{ x }}" * 50_000, "}}" * 100_000, "{{ " * 50_000 + "}}"])
def test_a_huge_text_is_judged_at_once(text: str) -> None:
    started = time.monotonic()
    assert 1 <= len(check(text, FACTS)) <= MOST_PROBLEMS
    render(text, FACTS)
    assert time.monotonic() - started < 1


@given(st.text(alphabet="{}%ab. \n", max_size=60))
def test_what_passes_the_check_renders_without_a_trace_of_the_syntax(text: str) -> None:
    if not check(text, ("a", "b")):
        assert not {"{{", "}}", "{%"} & {render(text, {"a": "x", "b": "y"})[at : at + 2] for at in range(len(text))}
