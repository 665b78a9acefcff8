"""Who looked, and who was refused.

A refusal is on disk before it is answered. Allowed looks are collected and written by a thread of this process in
batches, together with the links' use counts: nobody who reads waits for a write, and a process that is killed loses
the looks of its last seconds.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.contrib.auth.models import User
from django.db import Error as DatabaseTrouble
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from config.addresses import client_address
from projects import json_text
from projects.access import AccessRefused, Grant
from projects.models import AccessOutcome, ProjectAccessLog, ProjectAccessToken
from wecom.quick_insert import DatabaseAway, insert
from wecom.refusals import Allowance

logger = structlog.get_logger(__name__)

WRITE_EVERY = 2.0
"""Seconds that a look waits for company, at most."""
BATCH = 500
"""Looks that are written together; so many do not wait for the time."""
MOST_WAITING = 20_000
"""Looks that are kept while the database is away; then the oldest are given up."""
LONGEST_AGENT = 200
THROTTLED_PER_MINUTE = 30
"""Rows about throttled requests, per process: what is turned away unread must not fill the disk. No other refusal is
left out, and the throttle itself bounds those."""

_throttled = Allowance(THROTTLED_PER_MINUTE, THROTTLED_PER_MINUTE)


class Look(NamedTuple):
    """One allowed look: a row of ProjectAccessLog."""

    at: datetime
    remote_id: str
    door: str
    address: str | None
    agent: str
    token_id: int | None = None
    user_id: int | None = None
    person: str = ""
    access_type: str = ""


class AccessLog:
    """Looks that wait to be written. One per process, made again after a fork; safe for threads."""

    def __init__(self, write_every: float | None = WRITE_EVERY) -> None:
        """``write_every`` None: nothing is written but by ``flush()``."""
        self._write_every = write_every
        self._looks: deque[Look] = deque()
        self._arrived, self._full = threading.Event(), threading.Event()
        self._starting, self._writing = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, look: Look) -> None:
        self._looks.append(look)
        if self._thread is None and self._write_every is not None:
            self._start()
        if not self._arrived.is_set():
            self._arrived.set()
        elif len(self._looks) >= BATCH:
            self._full.set()

    def flush(self) -> bool:
        """Write everything now, in the caller's thread. False when the database did not take it; it is kept."""
        with self._writing:
            while self._looks:
                batch = [self._looks.popleft() for _ in range(min(BATCH, len(self._looks)))]
                try:
                    _write(batch)
                except (OperationalError, InterfaceError) as error:
                    self._keep(batch, error)
                    return False
                except DatabaseTrouble:  # not for lack of a database: kept, it would stand in the way for ever
                    logger.exception("access_log_refused", lost=len(batch))
        return True

    def _keep(self, batch: list[Look], error: Exception) -> None:
        self._looks.extendleft(reversed(batch))
        lost = max(0, len(self._looks) - MOST_WAITING)
        for _ in range(lost):
            self._looks.popleft()
        logger.warning("access_log_waits", error=type(error).__name__, waiting=len(self._looks), lost=lost)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._arrived.wait()
            self._full.wait(self._write_every)
            self._arrived.clear()
            self._full.clear()
            try:
                if not self.flush():
                    self._arrived.set()
            except Exception:
                logger.exception("access_log_not_written")  # and on with the next: a thread that ends, ends the log
            finally:
                connection.close()  # kept, it would go stale between two batches of a quiet day


def _write(looks: Sequence[Look]) -> None:
    """Rows and counts in one transaction."""
    try:
        _insert(looks)
    except IntegrityError:  # an account was deleted after somebody had used it; the rows still tell the names
        _insert([look._replace(token_id=None, user_id=None) for look in looks])


def _insert(looks: Sequence[Look]) -> None:
    """A few statements, whatever there is to write: a model instance per look would cost as much as the look itself."""
    uses: dict[int, tuple[int, datetime]] = {}
    for look in looks:
        if look.token_id is not None:
            times, latest = uses.get(look.token_id, (0, look.at))
            uses[look.token_id] = (times + 1, max(latest, look.at))
    # in order, so that two processes that meet at the same links do not wait for each other in a circle
    counts = [(pk, *uses[pk]) for pk in sorted(uses)]
    with transaction.atomic(), connection.cursor() as cursor:
        write = _insert_as_json if connection.vendor == "postgresql" else _insert_one_by_one
        write(cursor, looks, counts)


Count = tuple[int, int, datetime]
"""A link, how often it was used, and when last."""


def _insert_as_json(cursor: Any, looks: Sequence[Look], counts: Sequence[Count]) -> None:
    """Constant statements with one parameter each: a list of VALUES would be taken apart anew for every batch, while
    requests wait for the interpreter."""
    cursor.execute(_COUNT, [json_text.write(counts)])
    known = {pk for (pk,) in cursor.fetchall()}
    cursor.execute(_NOTE, [json_text.write(_linked(looks, known))])


def _insert_one_by_one(cursor: Any, looks: Sequence[Look], counts: Sequence[Count]) -> None:
    """SQLite repeats a statement for many rows without leaving the driver."""
    moment = connection.ops.adapt_datetimefield_value
    used = [(times, moment(at), moment(at), pk) for pk, times, at in counts]
    cursor.executemany(
        "UPDATE projects_projectaccesstoken SET use_count = use_count + %s, "
        "last_used_at = CASE WHEN last_used_at > %s THEN last_used_at ELSE %s END WHERE id = %s",
        used,
    )
    links = ProjectAccessToken.objects.filter(pk__in=[pk for pk, _times, _at in counts])
    known = set(links.values_list("pk", flat=True))
    marks = ", ".join(["%s"] * len(Look._fields))
    cursor.executemany(
        f"INSERT INTO projects_projectaccesslog ({', '.join(Look._fields)}, outcome) "  # noqa: S608 - names of ours
        f"VALUES ({marks}, '{AccessOutcome.ALLOWED.value}')",
        [(moment(look.at), *look[1:]) for look in _linked(looks, known)],
    )


def _linked(looks: Sequence[Look], known: Collection[int]) -> list[Look]:
    """Without the links that have been purged since."""
    return [look if look.token_id in known else look._replace(token_id=None) for look in looks]


_COUNT = """
WITH seen AS (
    SELECT (use ->> 0)::bigint AS id, (use ->> 1)::integer AS times, (use ->> 2)::timestamptz AS at
    FROM json_array_elements(%s) AS use
), locked AS (
    SELECT id FROM projects_projectaccesstoken WHERE id IN (SELECT id FROM seen) ORDER BY id FOR NO KEY UPDATE
)
UPDATE projects_projectaccesstoken AS token
SET use_count = token.use_count + seen.times, last_used_at = greatest(token.last_used_at, seen.at)
FROM seen JOIN locked ON locked.id = seen.id
WHERE token.id = seen.id
RETURNING token.id
"""
"""Another process may have written a later look already."""
_KINDS = ("timestamptz", "text", "text", "inet", "text", "bigint", "bigint", "text", "text")
"""Types of a look's columns on PostgreSQL."""
_NOTE = (
    f"INSERT INTO projects_projectaccesslog ({', '.join(Look._fields)}, outcome) SELECT "  # noqa: S608 - names of ours
    + ", ".join(f"(look ->> {place})::{kind}" for place, kind in enumerate(_KINDS))
    + f", '{AccessOutcome.ALLOWED.value}' FROM json_array_elements(%s) AS look"
)


_log = AccessLog()


def _start_anew() -> None:
    global _log
    _log = AccessLog()  # threads do not survive a fork, and what waited is written by the parent


def flush() -> bool:
    """Write what waits in this process; see AccessLog.flush()."""
    return _log.flush()


os.register_at_fork(after_in_child=_start_anew)
atexit.register(flush)  # the web server's workers run it when they end, see config.web


def note(request: HttpRequest, grant: Grant, door: str) -> None:
    """Somebody looked through a link. Returns at once. ``door``: a choice of ProjectAccessLog.door."""
    _log.add(
        Look(
            timezone.now(),
            grant.remote_id,
            door,
            client_address(request),
            _agent(request),
            token_id=grant.token_id,
            person=grant.user_name,
            access_type=grant.access_type,
        )
    )


def note_staff(request: HttpRequest, remote_id: str, door: str) -> None:
    """A staff user looked. Returns at once."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("nobody is logged in")
    _log.add(
        Look(
            timezone.now(),
            remote_id,
            door,
            client_address(request),
            _agent(request),
            user_id=user.pk,
            person=(user.get_full_name() or user.get_username())[:100],
        )
    )


def refuse(request: HttpRequest, remote_id: str, door: str, refused: AccessRefused) -> None:
    """Write a refusal, before it is answered. Never raises: the refusal stands, written or not."""
    link = refused.link
    if refused.outcome == AccessOutcome.THROTTLED and not _throttled.take():
        return
    try:
        insert(
            ProjectAccessLog,
            remote_id=_printable(remote_id)[:100],
            door=door,
            outcome=refused.outcome.value,
            token_id=link.token_id if link else None,
            person=link.user_name if link else "",
            access_type=link.access_type if link else "",
            address=client_address(request),
            agent=_agent(request),
        )
    except DatabaseAway as error:
        logger.warning("refusal_not_written", outcome=refused.code, project=remote_id[:100], error=str(error))


def _agent(request: HttpRequest) -> str:
    return _printable(request.META.get("HTTP_USER_AGENT", "")[:LONGEST_AGENT])


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "�" for letter in text)
