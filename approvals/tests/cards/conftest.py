"""Phones with cards: the stand-in on a port, whose callbacks are handed to the real callback address."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from approvals import engine, operations
from approvals.actors import actor_for
from approvals.cards.faces import AGREE
from approvals.models import ApprovalCard, ApprovalInstance, Channel, Quote, SyncOperation
from approvals.tests.played import played
from wecom import inbox
from wecom.models import WeComConfig
from wecom.standin.server import StandinServer
from wecom.tests.phone import Phone

Submit = Callable[..., ApprovalInstance]


class Mailbox:
    """Takes what the stand-in posts and keeps it until the test hands it on, as a slow network would."""

    def __init__(self) -> None:
        self.packets: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.packets))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/wecom/callback"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(packets: queue.Queue[tuple[str, bytes]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            packets.put((urlsplit(self.path).query, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            """Silent: the test says what went wrong."""

    return Handler


class Phones(Phone):
    """What approvers see and press, and the workers that carry it there and back."""

    def __init__(self, server: StandinServer, mailbox: Mailbox) -> None:
        super().__init__(server.url)
        self._mailbox, self._client = mailbox, Client()

    def work(self) -> None:
        """Everything that is due is done."""
        inbox.process_due()
        operations.run_due()

    def work_again(self) -> None:
        """The time that failed operations wait for has come."""
        SyncOperation.objects.exclude(status="dead").update(next_attempt_at=timezone.now())
        self.work()

    def seen(self, userid: str) -> list[dict[str, Any]]:
        """The cards on one phone that are still there, newest first."""
        return [card["shown"] for card in self.cards(userid) if card["shown"] is not None]

    def states(self, userid: str) -> list[str]:
        """What each of them says of the approval: how it ended, above the title, or whom it waits for, below."""
        return [card.get("source", card["main_title"])["desc"] for card in self.seen(userid)]

    def keys(self, userid: str) -> list[str]:
        """What can be pressed on the phone."""
        return [key for card in self.cards(userid) for key in card["keys"]]

    def press(self, userid: str, card: ApprovalCard | None = None, key: str = AGREE, *, force: bool = False) -> None:
        """``userid`` presses (by default on their newest card), and the event reaches this system's inbox."""
        task_id = card.task_id if card else self.cards(userid)[0]["task_id"]
        self.click(userid, task_id, key, force=force)
        self.deliver(*self.take())

    def take(self) -> tuple[str, bytes]:
        """The next callback that WeCom has sent."""
        return self._mailbox.packets.get(timeout=10)

    def deliver(self, query: str, body: bytes) -> None:
        """Hand a callback to the address that WeCom calls."""
        response = self._client.post(f"/wecom/callback?{query}", body, content_type="text/xml")
        assert response.status_code == 200, response.content

    def forget_callback_address(self) -> None:
        self._post("settings", callback_url="")

    def texts(self, userid: str) -> list[str]:
        """The texts on one phone, newest first."""
        return [row["content"]["content"] for row in self.rows(userid) if row["msgtype"] == "text"]


@pytest.fixture
def phones(tmp_path: Path, settings: Settings, wecom_app: WeComConfig) -> Iterator[Phones]:
    mailbox = Mailbox()
    settings.LANGUAGE_CODE = "en"
    settings.API_BASE_URL = "https://quotes.example.com"
    with played(wecom_app, settings, tmp_path, callback_url=mailbox.url) as server:
        yield Phones(server, mailbox)
    mailbox.close()


@pytest.fixture
def asked(phones: Phones, quote: Quote, li: User) -> Submit:
    """Submit the quote to a chain that is decided here, and send the cards. Steps: userids, or (relation, userids…)."""

    def submit(*nodes: tuple[str, ...], comment: str = "", send: bool = True) -> ApprovalInstance:
        chain = [{"userids": list(userids), "relation": relation} for relation, *userids in nodes]
        actor = actor_for(li, Channel.INTERNAL)
        instance = engine.submit(quote=quote, actor=actor, flow="internal", approvers=chain, comment=comment)
        if send:
            phones.work()
        return instance

    return submit


def cards_of(instance: ApprovalInstance) -> list[tuple[int, list[str], str]]:
    return [(card.node, card.userids, card.state) for card in instance.cards.order_by("pk")]


def last_operation(instance: ApprovalInstance) -> SyncOperation:
    found: SyncOperation = SyncOperation.objects.filter(instance=instance, kind="cards").latest("pk")
    return found
