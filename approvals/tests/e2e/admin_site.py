"""The admin over HTTP as a browser without scripts would use it: log in, read a form, send it back changed."""

from __future__ import annotations

from html.parser import HTMLParser

import requests

from approvals.tests.e2e.house import PASSWORD
from config.testing.clients import TIMEOUT


class AdminSite:
    """One person's session. Raises AssertionError when the log-in is refused."""

    def __init__(self, url: str, username: str) -> None:
        self.url = f"{url}/admin"
        self.session = requests.Session()
        self.save("/login/", username=username, password=PASSWORD)

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self.url}{path}", timeout=TIMEOUT)

    def form(self, path: str) -> dict[str, str]:
        """The fields of the page's largest form, as they are filled in."""
        page = self.get(path)
        assert page.status_code == 200, page.text
        reader = _FormReader()
        reader.feed(page.text)
        return max(reader.forms, key=len)

    def save(self, path: str, **changes: str) -> None:
        """Send the page's form back with ``changes``; a refusal shows the form again instead of leading elsewhere."""
        address = f"{self.url}{path}"
        fields = self.form(path) | changes
        answer = self.session.post(
            address, data=fields, headers={"Referer": address}, timeout=TIMEOUT, allow_redirects=False
        )
        assert answer.status_code == 302, answer.text


class _FormReader(HTMLParser):
    """``forms``: one dict of names and values for each form of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.forms.append({})
        elif not self.forms:
            return
        elif tag == "select":
            self._select = name
            self.forms[-1].setdefault(name, "")
        elif tag == "option" and "selected" in given:
            self.forms[-1][self._select] = given.get("value", "")
        elif tag == "textarea":
            self._textarea = name
            self.forms[-1][name] = ""
        elif tag == "input" and name and given.get("type") in ("checkbox", "radio"):
            if "checked" in given:
                self.forms[-1][name] = given.get("value", "on")
        elif tag == "input" and name and given.get("type") not in ("submit", "button"):
            self.forms[-1][name] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1][self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = ""
