"""Quotebridge as its users meet it over HTTP."""

from __future__ import annotations

from typing import Any

import requests

TIMEOUT = 40


class RestClient:
    """One person's API token in use."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token {token}"

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.session.get(f"{self.url}/api/{path}", params=query, timeout=TIMEOUT)

    def post(self, path: str, **body: Any) -> requests.Response:
        return self.session.post(f"{self.url}/api/{path}", json=body, timeout=TIMEOUT)

    def read(self, path: str, **query: Any) -> Any:
        response = self.get(path, **query)
        assert response.status_code == 200, response.text
        return response.json()

    def do(self, path: str, **body: Any) -> Any:
        response = self.post(path, **body)
        assert response.status_code in (200, 201, 202), response.text
        return response.json()
