"""The door of a stand-in through which a bench sets it up."""

from __future__ import annotations

from typing import Any

import requests

LONGEST = 600.0
"""Seconds; some of the wishes are large."""


def post(url: str, path: str, **body: Any) -> dict[str, Any]:
    """POST ``body`` to ``path`` of ``/standin/api`` at ``url``; its answer."""
    answer = requests.post(f"{url}/standin/api/{path}", json=body, timeout=LONGEST)
    answer.raise_for_status()
    return dict(answer.json())
