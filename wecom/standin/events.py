"""The queue of callbacks on their way to the product. Rows, so that a restart loses none.

An event waits (for the answer of the call that caused it), is queued, sending, and ends as sent, refused
(answered, but not with 200), failed (no answer after all repetitions) or dropped. Faults hold, copy, delay
and reorder here, before anything is sent.
"""

from __future__ import annotations

import random
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

from config.standin.errors import ControlError
from config.standin.faults import Faults
from config.standin.store import Store

WAITING, HELD, QUEUED, SENDING = "waiting", "held", "queued", "sending"
SENT, REFUSED, FAILED, DROPPED = "sent", "refused", "failed", "dropped"
STATES = (WAITING, HELD, QUEUED, SENDING, SENT, REFUSED, FAILED, DROPPED)
RELEASE_ORDERS = ("same", "reverse", "shuffle")
# Between released events, so that several senders keep the order that was asked for.
RELEASE_GAP_SECONDS = 0.02
IDLE_SECONDS = 1.0
BLOCKED_SECONDS = 0.05  # an event may be due and yet have to wait for its predecessor

# Events of one subject go out one after another; copies of the same event may run side by side.
CLAIM = """
SELECT * FROM events AS event
WHERE state = 'queued' AND due_at <= ? AND NOT EXISTS (
    SELECT 1 FROM events AS other
    WHERE other.subject = event.subject AND other.state = 'sending' AND other.origin <> event.origin
)
ORDER BY due_at, id LIMIT 1
"""


class EventQueue:
    """Owns the table ``events``. ``enabled`` is off while there is nobody to call back."""

    def __init__(self, store: Store, faults: Faults, clock: Callable[[], float]) -> None:
        self.enabled = True
        self._changed = threading.Condition()
        self._version = 0
        self._store = store
        self._faults = faults
        self._clock = clock

    def recover(self) -> None:
        """Queues again what a stopped stand-in left half-way."""
        self._store.execute("UPDATE events SET state = 'queued' WHERE state IN ('sending', 'waiting')")

    def emit(self, name: str, subject: str, agent: str, body: str, *, waiting: bool = False) -> list[int]:
        """Adds an event, bent by whatever callback faults are on; returns the ids of its rows."""
        delay = self._faults.use("callback_delay", name)
        duplicate = self._faults.use("callback_duplicate", name)
        reorder = self._faults.use("callback_reorder", name)
        state = WAITING if waiting else QUEUED
        if reorder or self._faults.use("callback_hold", name):
            state = HELD
        if not self.enabled or self._faults.use("callback_drop", name):
            state = DROPPED
        due = self._clock() + (delay.parameters["seconds"] if delay else 0)
        copies = duplicate.parameters["times"] if duplicate else 1
        event = {"name": name, "subject": subject, "agent": agent, "body": body, "created_at": self._clock()}
        ids = [self._store.insert("events", **event, origin=0, state=state, due_at=due) for _ in range(max(1, copies))]
        self._store.execute("UPDATE events SET origin = ? WHERE id BETWEEN ? AND ?", ids[0], ids[0], ids[-1])
        if reorder and self.count(HELD) >= reorder.parameters["size"]:
            self.release("reverse")
        self.announce()
        return ids

    def answered(self, ids: list[int]) -> None:
        """The call that caused these events was answered: they may go out."""
        if not ids:
            return
        for number in ids:
            self._store.execute("UPDATE events SET state = 'queued' WHERE id = ? AND state = 'waiting'", number)
        self.announce()

    def release(self, order: str = "same", *, same_second: bool = False) -> int:
        """Lets held events go, in the order asked for; returns how many.

        ``same_second`` gives all of them one CreateTime, as a bulk approval in WeCom does.
        """
        if order not in RELEASE_ORDERS:
            raise ControlError(400, f"unknown order {order!r}; known are {', '.join(RELEASE_ORDERS)}")
        now = self._clock()
        with self._store.transaction():
            rows = self._store.rows("SELECT id, body FROM events WHERE state = 'held' ORDER BY id")
            if order == "reverse":
                rows.reverse()
            elif order == "shuffle":
                random.shuffle(rows)
            for place, row in enumerate(rows):
                body = _at_second(row["body"], int(now)) if same_second else row["body"]
                self._store.execute(
                    "UPDATE events SET state = 'queued', due_at = ?, body = ? WHERE id = ?",
                    now + place * RELEASE_GAP_SECONDS,
                    body,
                    row["id"],
                )
        self.announce()
        return len(rows)

    def resend(self, number: int) -> int:
        """Delivers an event once more, byte for byte inside; returns the id of the copy."""
        row = self._store.row("SELECT * FROM events WHERE id = ?", number)
        if row is None:
            raise ControlError(404, f"there is no event {number}")
        now = self._clock()
        event = {name: row[name] for name in ("origin", "name", "subject", "agent", "body")}
        copy = self._store.insert("events", **event, state=QUEUED, due_at=now, created_at=now)
        self.announce()
        return copy

    def claim(self) -> sqlite3.Row | None:
        """The next event to send, marked as being sent; None when nothing is due."""
        with self._store.transaction():
            row = self._store.row(CLAIM, self._clock())
            if row:
                self._store.execute(
                    "UPDATE events SET state = 'sending', attempts = attempts + 1 WHERE id = ?", row["id"]
                )
            return row

    def finish(self, number: int, state: str, *, http_status: int | None = None, error: str = "") -> None:
        self._store.execute(
            "UPDATE events SET state = ?, http_status = ?, error = ?, finished_at = ? WHERE id = ?",
            state,
            http_status,
            error,
            self._clock(),
            number,
        )
        self.announce()

    def try_later(self, number: int, seconds: float, *, http_status: int | None = None, error: str) -> None:
        self._store.execute(
            "UPDATE events SET state = 'queued', due_at = ?, http_status = ?, error = ? WHERE id = ?",
            self._clock() + seconds,
            http_status,
            error,
            number,
        )
        self.announce()

    def wait_for_due(self) -> None:
        """Sleeps until something changed or the next event is due."""
        seen = self._version
        row = self._store.row("SELECT min(due_at) AS due FROM events WHERE state = 'queued'")
        due = row["due"] if row else None
        self._wait(seen, IDLE_SECONDS if due is None else min(IDLE_SECONDS, max(BLOCKED_SECONDS, due - self._clock())))

    def wait_delivered(self, ids: list[int], timeout: float) -> None:
        """Returns when none of these events is on its way any more, or after ``timeout`` seconds."""
        marks = ", ".join("?" * len(ids))
        on_the_way = f"SELECT count(*) FROM events WHERE id IN ({marks}) AND state IN ('queued', 'sending')"  # noqa: S608
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            seen = self._version
            if not self._store.number(on_the_way, *ids):
                return
            self._wait(seen, left)

    def _wait(self, seen: int, timeout: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen, timeout)

    def count(self, state: str) -> int:
        return self._store.number("SELECT count(*) FROM events WHERE state = ?", state)

    def counts(self) -> dict[str, int]:
        """Rows by state, and ``on_the_way``: what is still to be sent by itself."""
        rows = self._store.rows("SELECT state, count(*) AS total FROM events GROUP BY state")
        counts = dict.fromkeys(STATES, 0) | {row["state"]: row["total"] for row in rows}
        return counts | {"on_the_way": counts[WAITING] + counts[QUEUED] + counts[SENDING]}

    def latest(self, *, subject: str = "", state: str = "", limit: int = 50) -> list[dict[str, Any]]:
        """Newest first, with the decrypted body."""
        rows = self._store.rows(
            "SELECT * FROM events WHERE (? = '' OR subject = ?) AND (? = '' OR state = ?) ORDER BY id DESC LIMIT ?",
            subject,
            subject,
            state,
            state,
            limit,
        )
        return [dict(row) for row in rows]

    def announce(self) -> None:
        """Wakes whoever waits. A waiter never asks the store while it holds this lock: first the store, then this."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()


def _at_second(body: str, second: int) -> str:
    return re.sub(r"<CreateTime>\d+</CreateTime>", f"<CreateTime>{second}</CreateTime>", body, count=1)
