"""The words of a template with facts in them. ``{{ name }}`` is all there is.

No template engine on purpose: what an operator types is looked up among the given facts and nothing else, so there is
no attribute, tag, filter, file or loop to reach. Facts are put in as they are; what looks like a placeholder inside a
fact stays text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from config.sentences import in_a_row

_PLACEHOLDER = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,59})[ \t]*\}\}")
_SUSPECT = re.compile(r"\{\{|\}\}|\{%|%\}")
"""What is left of an attempt at a placeholder once the good ones are gone."""
MOST_PROBLEMS = 20
SHOWN = 40
"""Characters of a wrong placeholder that a sentence repeats."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Where a text is wrong (line and column count from 1), and why."""

    line: int
    column: int
    sentence: str

    def __str__(self) -> str:
        where = _("Line %(line)d, column %(column)d:") % {"line": self.line, "column": self.column}
        return in_a_row(where, self.sentence)


def check(text: str, allowed: Collection[str]) -> list[Problem]:
    """What is wrong with ``text``, first things first, at most MOST_PROBLEMS; empty when it can be rendered."""
    found = []
    for position, sentence in _wrong(text, allowed):
        line_start = text.rfind("\n", 0, position) + 1
        found.append(Problem(text.count("\n", 0, position) + 1, position - line_start + 1, sentence))
        if len(found) == MOST_PROBLEMS:
            break
    return found


def variables_in(text: str) -> list[str]:
    """The names that ``text`` uses, each once, in the order of their first use."""
    return list(dict.fromkeys(match[1] for match in _PLACEHOLDER.finditer(text)))


def render(text: str, facts: Mapping[str, Any]) -> str:
    """``text`` with facts for placeholders. A name that is not among the facts becomes nothing: the text was checked
    when it was saved, and a message with a gap is better than none."""
    return _PLACEHOLDER.sub(lambda match: str(facts.get(match[1], "")), text)


def _wrong(text: str, allowed: Collection[str]) -> Iterator[tuple[int, str]]:
    position = 0
    for match in _PLACEHOLDER.finditer(text):
        yield from _suspects(text, position, match.start())
        if match[1] not in allowed:
            yield match.start(1), _unknown(match[1], allowed)
        position = match.end()
    yield from _suspects(text, position, len(text))


def _suspects(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    while match := _SUSPECT.search(text, start, end):
        sentence, start = _misuse(text, match, end)
        yield match.start(), sentence


def _misuse(text: str, match: re.Match[str], end: int) -> tuple[str, int]:
    """The sentence about a suspect, and where to look on."""
    if match[0] == "{{":
        closing = text.find("}}", match.end(), end)
        if closing < 0:
            return _("“{{” is opened here and not closed with “}}”."), match.end()
        inside = text[match.end() : closing].strip()
        if not inside:
            return _("A variable's name is missing between “{{” and “}}”."), closing + 2
        sentence = _("Only the name of a variable may stand between “{{” and “}}”, not “%(text)s”.")
        return sentence % {"text": _short(inside)}, closing + 2
    if match[0] == "}}":
        return _("“}}” closes nothing."), match.end()
    return _("There are no tags here, only variables: {{ name }}."), match.end()


def _unknown(name: str, allowed: Collection[str]) -> str:
    sentence = _("There is no variable “%(name)s” here.") % {"name": _short(name)}
    if near := difflib.get_close_matches(name, sorted(allowed), n=1):
        sentence = in_a_row(sentence, _("Did you mean “%(name)s”?") % {"name": near[0]})
    return sentence


def _short(text: str) -> str:
    return f"{text[:SHOWN]}…" if len(text) > SHOWN else text
