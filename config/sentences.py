"""Sentences in a row."""

from __future__ import annotations

from django.utils.functional import Promise

FULL_STOPS = "。！？；："
"""As wide as a character, with their space within."""


def in_a_row(*sentences: str | Promise) -> str:
    """``sentences`` as one text, in the language that is active now; empty ones are left out. A space between them,
    unless the first ends in Chinese."""
    text = ""
    for sentence in map(str, sentences):
        if text and sentence:
            text += "" if text[-1] in FULL_STOPS else " "
        text += sentence
    return text
