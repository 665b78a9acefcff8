"""Every refusal of our own comes with what a person can do about it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import approvals
from approvals.problems import REMEDIES, explained
from wecom.errors import describe

SOURCES = Path(approvals.__file__).parent


def codes_raised() -> Iterator[str]:
    """First arguments of every SubmissionProblem in the sources, also where a variable holds one of several."""
    for path in SOURCES.rglob("*.py"):
        if "tests" in path.parts:
            continue
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                yield from _codes_of(function)


def _codes_of(function: ast.FunctionDef) -> Iterator[str]:
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "SubmissionProblem":
            code = call.args[0]
            found = list(_texts(code)) if not isinstance(code, ast.Name) else list(_assigned(function, code.id))
            assert found, f"cannot tell the code in {function.name}"
            yield from found


def _assigned(function: ast.FunctionDef, name: str) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
            value = node.value
            for branch in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
                yield from _texts(branch)


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def test_every_code_has_a_remedy_and_every_remedy_a_code() -> None:
    assert set(codes_raised()) == set(REMEDIES)
    assert all(map(str, REMEDIES.values()))


def test_our_own_code_keeps_its_sentence() -> None:
    assert explained("value_missing", "No date.") == ("No date.", str(REMEDIES["value_missing"]))


def test_a_number_is_wecoms() -> None:
    known = describe(301055)
    assert explained("301055", "as WeCom put it") == (str(known.sentence), str(known.remedy))


def test_a_code_that_nobody_has_foreseen_keeps_its_sentence() -> None:
    assert explained("", "Boom.") == ("Boom.", "")
