"""Delivers callbacks as WeCom does (docs 90930, 90238) and plays the console's URL check (doc 90238).

5 seconds for an answer; up to 3 repetitions on a connection failure or a time-out; an answer that is
merely not 200 is not repeated, unless the fault switch for it is on (the two documents disagree).
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
import time
from typing import Any
from urllib.parse import urlencode

from config.standin.errors import ControlError
from config.standin.faults import Faults
from wecom.crypto import CallbackCrypto
from wecom.standin.events import FAILED, REFUSED, SENT, EventQueue
from wecom.standin.http_calls import CallFailed, request
from wecom.standin.xml_events import element

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 5.0
VERIFY_SECONDS = 1.0
RETRY_AFTER_SECONDS = (0.5, 1.0, 2.0)  # three repetitions; WeCom does not document the spacing
SENDERS = 4


class Sender:
    """``callback_url`` may be changed while running; empty means that nothing is sent."""

    def __init__(
        self, queue: EventQueue, faults: Faults, crypto: CallbackCrypto, corp_id: str, callback_url: str
    ) -> None:
        self._queue = queue
        self._faults = faults
        self._crypto = crypto
        self._corp_id = corp_id
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self.callback_url = ""
        self.set_callback_url(callback_url)

    def set_callback_url(self, url: str) -> None:
        self.callback_url = url
        self._queue.enabled = bool(url)

    def start(self) -> None:
        self._queue.recover()
        for number in range(SENDERS):
            thread = threading.Thread(target=self._work, name=f"callback-sender-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stopping.set()
        self._queue.announce()
        for thread in self._threads:
            thread.join(timeout=ANSWER_SECONDS + 1)

    def verify(self, url: str = "") -> dict[str, Any]:
        """The check WeCom makes when the callback settings are saved: GET, 1 s, the exact decrypted text."""
        target = url or self.callback_url
        if not target:
            raise ControlError(400, "no callback URL is set")
        echo = str(secrets.randbelow(10**19)).zfill(19)
        encrypted = self._crypto.encrypt(echo.encode())
        query = self._signed(encrypted) | {"echostr": encrypted}
        try:
            answer = request("GET", _with_query(target, query), timeout=VERIFY_SECONDS)
        except CallFailed as error:
            return {"ok": False, "status": None, "seconds": None, "reason": str(error)}
        reason = ""
        if answer.status != 200:
            reason = f"answered {answer.status} instead of 200"
        elif answer.seconds > VERIFY_SECONDS:
            reason = f"took longer than {VERIFY_SECONDS:g} second"
        elif answer.body != echo.encode():
            reason = "the body is not exactly the decrypted echostr"
        return {"ok": not reason, "status": answer.status, "seconds": round(answer.seconds, 3), "reason": reason}

    def _work(self) -> None:
        while not self._stopping.is_set():
            event = self._queue.claim()
            if event is None:
                self._queue.wait_for_due()
                continue
            self._deliver(event)

    def _deliver(self, event: sqlite3.Row) -> None:
        attempt = event["attempts"] + 1
        try:
            url, body = self._packet(event)
            answer = request("POST", url, body=body, timeout=ANSWER_SECONDS)
        except CallFailed as error:
            self._repeat(event["id"], attempt, None, str(error), FAILED)
            return
        if answer.status == 200:
            self._queue.finish(event["id"], SENT, http_status=200)
            return
        refusal = f"answered {answer.status}"
        if self._faults.use("callback_retry_refused", event["name"]):
            self._repeat(event["id"], attempt, answer.status, refusal, REFUSED)
        else:
            self._queue.finish(event["id"], REFUSED, http_status=answer.status, error=refusal)

    def _repeat(self, number: int, attempt: int, status: int | None, error: str, final: str) -> None:
        logger.warning("Callback %s, attempt %s: %s", number, attempt, error)
        if attempt <= len(RETRY_AFTER_SECONDS):
            self._queue.try_later(number, RETRY_AFTER_SECONDS[attempt - 1], http_status=status, error=error)
        else:
            self._queue.finish(number, final, http_status=status, error=error)

    def _packet(self, event: sqlite3.Row) -> tuple[str, bytes]:
        """URL and body, encrypted afresh with a random prefix as WeCom does for every post."""
        encrypted = self._crypto.encrypt(event["body"].encode())
        outer = element("xml", [("ToUserName", self._corp_id), ("AgentID", event["agent"]), ("Encrypt", encrypted)])
        return _with_query(self.callback_url, self._signed(encrypted)), outer.encode()

    def _signed(self, encrypted: str) -> dict[str, str]:
        timestamp, nonce = str(int(time.time())), str(secrets.randbelow(10**10)).zfill(10)
        return {
            "msg_signature": self._crypto.sign(timestamp, nonce, encrypted),
            "timestamp": timestamp,
            "nonce": nonce,
        }


def _with_query(url: str, query: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
