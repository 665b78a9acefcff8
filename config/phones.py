"""Phone numbers where they are shown to people who may not see them."""

from __future__ import annotations

CHINA = "+86"


def masked(text: str) -> str:
    """For logs and lists: ``138****8000``."""
    number = text.removeprefix(CHINA)
    return f"{number[:3]}****{number[-4:]}" if len(number) > 7 else "****"
