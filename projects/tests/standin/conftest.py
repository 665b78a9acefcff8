"""A library on a real port, and a client for its API and for its test interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from projects.standin.options import Options
from projects.standin.server import LibraryServer
from projects.standin.world import World

KEY = "library-key-4Zq"


class Library:
    """``ask`` speaks the library's API; ``get``, ``post`` and ``fault`` its test interface."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def ask(self, path: str = "projects", *, key: str = KEY, timeout: float = 10, **query: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return self.session.get(f"{self.url}/{path}", params=query, headers=headers, timeout=timeout)

    def page(self, **query: Any) -> dict[str, Any]:
        answer = self.ask(**query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ids(self, **query: Any) -> list[str]:
        return [project["id"] for project in self.page(**query)["projects"]]

    def get(self, path: str, **query: Any) -> Any:
        return self.session.get(f"{self.url}/standin/api/{path}", params=query, timeout=10).json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.session.post(f"{self.url}/standin/api/{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, path: str, **body: Any) -> int:
        return self.session.post(f"{self.url}/standin/api/{path}", json=body, timeout=10).status_code

    def fault(self, kind: str, **parameters: Any) -> None:
        self.post("faults", kind=kind, **parameters)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    server = LibraryServer(World(Options(tmp_path / "library.sqlite3", KEY, projects=25, port=0)))
    server.start_in_background()
    yield Library(server.url)
    server.stop()
