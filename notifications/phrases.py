"""Sentences that are stored and read later, by people of different languages.

An incident is written by a worker and read by whoever opens it. So its words are kept as the English sentence, which
is the catalogue's key, with what goes into its gaps; they become text in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext


class Phrase:
    """``Phrase(gettext_noop("%(what)s gave up"), what=…)``. A gap may hold a text, a number, or another phrase."""

    def __init__(self, sentence: str, /, **gaps: Any) -> None:
        self.sentence = sentence
        self.gaps = gaps

    @classmethod
    def of(cls, lazy: str | Promise) -> Phrase:
        """What a ``gettext_lazy`` text stands for, such as a model's name."""
        with translation.override(None):  # no catalogue: the sentence itself
            return cls(str(lazy))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Phrase:
        gaps = {name: cls.from_json(gap) if isinstance(gap, dict) else gap for name, gap in stored["gaps"].items()}
        return cls(stored["sentence"], **gaps)

    def as_json(self) -> dict[str, Any]:
        gaps = {name: gap.as_json() if isinstance(gap, Phrase) else _plain(gap) for name, gap in self.gaps.items()}
        return {"sentence": self.sentence, "gaps": gaps}

    def __str__(self) -> str:
        """In the language that is active now."""
        text = gettext(self.sentence) if self.sentence else ""
        return text % {name: _plain(gap) for name, gap in self.gaps.items()} if self.gaps else text


def _plain(gap: Any) -> str | int:
    return gap if isinstance(gap, int) else str(gap)


Said = str | Phrase
"""A finished text, or one that each reader gets in their own language."""
