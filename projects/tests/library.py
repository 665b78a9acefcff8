"""A client of the project library's stand-in, for its API and for its test interface."""

from __future__ import annotations

from typing import Any

import requests

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

    def heal(self) -> None:
        """Switch all faults off."""
        self.session.delete(f"{self.url}/standin/api/faults", timeout=10).raise_for_status()

    def calls(self, endpoint: str) -> int:
        """Answers to ``list`` or ``single`` since the start."""
        return sum(self.get("stats")["calls"].get(endpoint, {}).values())
