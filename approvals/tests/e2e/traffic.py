"""Callbacks posted by the test itself, to know which were answered and how fast."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass

import requests

from approvals.tests.e2e.house import House
from config.testing.processes import wait_until
from wecom.tests.vectors import approval_event, signed

_subjects = itertools.count(202601010001)
_nonces = itertools.count(10**9)


@dataclass(frozen=True)
class Answer:
    subject: str
    text: str
    """``""`` when there was no answer at all."""
    seconds: float


def post_callback(house: House, *, session: requests.Session | None = None, timeout: float = 10) -> Answer:
    """One event about an approval that nobody here knows, never the same twice."""
    subject = str(next(_subjects))
    query, body = signed(
        approval_event(subject), timestamp=str(int(time.time())), nonce=str(next(_nonces)), by=house.crypto
    )
    started = time.monotonic()
    try:
        answer = (session or requests).post(f"{house.url}/wecom/callback", params=query, data=body, timeout=timeout)
    except requests.RequestException:
        return Answer(subject, "", time.monotonic() - started)
    return Answer(subject, answer.text, time.monotonic() - started)


class Stream:
    """Several senders that post callbacks until they are stopped."""

    def __init__(self, house: House, senders: int = 8) -> None:
        self._house = house
        self._stop = threading.Event()
        self._answers: list[Answer] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(senders)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        session = requests.Session()
        while not self._stop.is_set():
            self._answers.append(post_callback(self._house, session=session))

    @property
    def promised(self) -> set[str]:
        """Subjects of the callbacks that were answered ``success``."""
        return {answer.subject for answer in list(self._answers) if answer.text == "success"}

    def await_more(self, count: int) -> None:
        """Wait for ``count`` further promises."""
        wanted = len(self.promised) + count
        wait_until(lambda: len(self.promised) >= wanted, 20, "callbacks answered", interval=0.05)

    @property
    def unanswered(self) -> int:
        return sum(not answer.text for answer in list(self._answers))

    def stop(self) -> set[str]:
        """End the senders; what they were promised."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self.promised
