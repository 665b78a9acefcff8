"""A phone without a screen: Django's client with CSRF checks, which presses the buttons that a page really has."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.test import Client

NO_REFERRER = {"origin": "null"}
"""What browsers send with forms of a page whose Referrer-Policy is no-referrer."""


class Phone:
    def __init__(self, **extra: Any) -> None:
        self.client = Client(enforce_csrf_checks=True, **extra)

    def open(self, url: str, **headers: str) -> Any:
        """The answer at the end of all redirects."""
        self.answer = self.client.get(_path(url), follow=True, headers=headers)
        return self.answer

    def press(self, button: str) -> Any:
        """Submit the form whose button says ``button``, with its hidden fields."""
        forms = re.findall(r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', self.answer.content.decode(), re.DOTALL)
        action, inside = next(form for form in forms if f">{button}</button>" in form[1])
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', inside))
        found = re.search(rf'name="(\w+)" value="([^"]*)"[^>]*>{button}<', inside)
        fields = hidden | ({found[1]: found[2]} if found else {})
        self.answer = self.client.post(unescape(action), fields, follow=True, headers=NO_REFERRER)
        return self.answer

    @property
    def text(self) -> str:
        """What the page says, without its mark-up."""
        body = self.answer.content.decode().partition("<body")[2]
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", body.partition(">")[2])).split())


def _path(url: str) -> str:
    return re.sub(r"^https?://[^/]*", "", url)
