"""Who is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person and where they can be reached. A channel passes over who has no address for it."""

    role: str
    name: str
    userid: str = ""
    """In WeCom."""
    phone: str = ""
    email: str = ""
    outside: bool = False
    """Not of the company (a customer): WeCom's application messages do not reach them."""
    language: str = ""
    """Of their messages; empty: the site's."""
