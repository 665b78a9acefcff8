"""WeCom's side of a running system: what people do on their phones, what arrived there, and what is to go wrong."""

from __future__ import annotations

from typing import Any

import requests

TIMEOUT = 15


class Phone:
    """The stand-in through its test interface. ``key``: WeCom's number of an approval, or ours."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _get(self, path: str, **query: Any) -> Any:
        response = requests.get(f"{self.url}/standin/api/{path}", params=query, timeout=TIMEOUT)
        assert response.status_code == 200, response.text
        return response.json()

    def _post(self, path: str, **body: Any) -> Any:
        response = requests.post(f"{self.url}/standin/api/{path}", json=body, timeout=TIMEOUT)
        assert response.status_code == 200, response.text
        return response.json()

    def act(self, key: str, action: str, userid: str = "", speech: str = "", **more: Any) -> dict[str, Any]:
        """Press a button as ``userid`` (default: whoever's turn it is, else the applicant)."""
        return dict(self._post(f"approvals/{key}/act", action=action, userid=userid, speech=speech, **more))

    def act_on_many(self, keys: list[str], action: str) -> None:
        """Press the same button on every one of ``keys``, in the same second."""
        assert self._post("bulk/act", keys=keys, action=action)["failed"] == {}

    def approvals(self, third_no: str) -> list[dict[str, Any]]:
        """Every form there that carries our number."""
        return list(self._get("approvals", third_no=third_no)["approvals"])

    def messages(self, userid: str) -> list[str]:
        """The texts of the messages on one phone, newest first."""
        return [
            row["content"].get("content") or row["content"].get("text", {}).get("content", "")
            for row in self.rows(userid)
        ]

    def rows(self, userid: str) -> list[dict[str, Any]]:
        """The same messages as they are stored, those that WeCom dropped included."""
        return list(self._get("messages", userid=userid)["messages"])

    def cards(self, userid: str = "", task_id: str = "") -> list[dict[str, Any]]:
        """Newest first: ``shown`` is the card as the phone of its ``userid`` shows it now (None: gone), ``keys`` what
        can be pressed on it."""
        return list(self._get("cards", userid=userid, task_id=task_id)["cards"])

    def click(self, userid: str, task_id: str, key: str, *, force: bool = False) -> str:
        """Press a button of a card; returns the code that the event brings. ``force``: even where the phone does not
        show it."""
        return str(self._post("cards/click", userid=userid, task_id=task_id, key=key, force=force)["response_code"])

    def make_card_older(self, task_id: str, hours: float) -> None:
        """As if the card and its codes were so many hours older."""
        self._post("cards/age", task_id=task_id, hours=hours)

    def fault(self, kind: str, **parameters: Any) -> None:
        """Switch a fault on: ``endpoint``, ``count`` and the kind's own parameters."""
        self._post("faults", kind=kind, **parameters)

    def heal(self) -> None:
        """Switch all faults off."""
        requests.delete(f"{self.url}/standin/api/faults", timeout=TIMEOUT).raise_for_status()

    def end_tokens(self, state: str) -> None:
        """``invalid``: 40014 from now on; ``expired``: 42001."""
        self._post("tokens/end", state=state)

    def release(self, order: str) -> int:
        """Let held callbacks go: ``same``, ``reverse`` or ``shuffle``."""
        return int(self._post("events/release", order=order)["released"])

    def events(self, subject: str) -> list[dict[str, Any]]:
        """The callbacks about one approval, newest first."""
        return list(self._get("events", subject=subject)["events"])

    def resend(self, event_id: int) -> None:
        self._post("events/resend", id=event_id)

    def events_on_the_way(self) -> int:
        return int(self._get("stats")["events"]["on_the_way"])

    def calls(self, endpoint: str, errcode: int | None = None) -> int:
        """How many calls of ``endpoint`` were answered, with ``errcode`` if given."""
        counted = self._get("stats")["calls"].get(endpoint, {"total": 0, "errcodes": {}})
        return int(counted["total"] if errcode is None else counted["errcodes"].get(str(errcode), 0))
