"""Quotebridge as its users meet it over HTTP: a REST client with a token, and one quote seen through it."""

from __future__ import annotations

from typing import Any

from config.testing.clients import RestClient
from config.testing.processes import wait_until

LOOK_EVERY = 0.1
"""Seconds between two looks; five people may look at once without meeting the API's limit of calls."""
PROMISED_SECONDS = 5.0
"""From a press on the phone to the state here."""

CONTENT: dict[str, Any] = {
    "title": "三号车间水泵",
    "customer_name": "华东机电",
    "contact": "王工",
    "phone": "13800138000",
    "currency": "CNY",
    "valid_until": "2026-12-31",
    "remark": "",
    "items": [
        {"name": "Pump X1", "specification": "DN50", "quantity": "3", "unit_price": "1200.50"},
        {"name": "Seal", "quantity": "2.5", "unit_price": "9.99"},
    ],
}


class QuoteClient(RestClient):
    """A salesman's or an approver's."""

    def new_quote(self, **changes: Any) -> QuoteOnApi:
        response = self.post("quotes", **{**CONTENT, **changes})
        assert response.status_code == 201, response.text
        return QuoteOnApi(self, response.json())

    def submitted(self, approvers: list[str] | None = None, **changes: Any) -> QuoteOnApi:
        """A new quote that WeCom has taken."""
        quote = self.new_quote(**changes)
        quote.submit(approvers=approvers or ["wang.boss"])
        quote.await_status("pending")
        return quote


class QuoteOnApi:
    """One quote as its owner sees it."""

    def __init__(self, client: QuoteClient, created: dict[str, Any]) -> None:
        self.client = client
        self.id: int = created["id"]
        self.number: str = created["quote_number"]

    def read(self) -> dict[str, Any]:
        return dict(self.client.read(f"quotes/{self.id}"))

    def submit(self, **body: Any) -> dict[str, Any]:
        response = self.client.post(f"quotes/{self.id}/submit", **body)
        assert response.status_code == 202, response.text
        return dict(response.json())

    def approval(self) -> dict[str, Any]:
        """The latest one."""
        return dict(self.client.read("approvals/status", quote_number=self.number))

    @property
    def sp_no(self) -> str:
        return str(self.approval()["sp_no"])

    def timeline(self) -> list[dict[str, Any]]:
        """Oldest first."""
        path = f"approvals/{self.approval()['id']}/timeline"
        return list(self.client.read(path, page_size=200)["results"])

    def entries(self, action: str, channel: str = "", outcome: str = "") -> list[dict[str, Any]]:
        """The entries of the timeline with these values; an empty word fits all."""
        return [
            entry
            for entry in self.timeline()
            if entry["action"] == action and channel in ("", entry["channel"]) and outcome in ("", entry["outcome"])
        ]

    def await_status(self, status: str, timeout: float = PROMISED_SECONDS) -> dict[str, Any]:
        """Wait until the quote shows ``status`` as its approval status; the quote."""

        def seen() -> dict[str, Any] | None:
            quote = self.read()
            return quote if quote["approval_status"] == status else None

        try:
            found = wait_until(seen, timeout, interval=LOOK_EVERY)
        except AssertionError:
            raise AssertionError(f"{self.number} not {status} within {timeout} s: {self.approval()}") from None
        assert found is not None
        return found

    def await_entry(
        self, action: str, channel: str = "", outcome: str = "", *, count: int = 1, timeout: float = PROMISED_SECONDS
    ) -> list[dict[str, Any]]:
        """Wait until the timeline holds ``count`` such entries."""

        def seen() -> list[dict[str, Any]]:
            entries = self.entries(action, channel, outcome)
            return entries if len(entries) >= count else []

        return wait_until(
            seen, timeout, f"{count} × {action} {channel} {outcome} of {self.number}", interval=LOOK_EVERY
        )
