"""Colours of badges and labels, by the names that Unfold gives them."""

from __future__ import annotations


class Tones(dict[str, str]):
    """Value → colour. Unfold shows the bare value, not its label, where a colour is missing."""

    def __missing__(self, value: str) -> str:
        return "default"
