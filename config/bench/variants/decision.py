"""The variants of the bench of decisions, by turns in one process on one database; what each turn took, as JSON.

``main`` takes the number of turns and of decisions in each; Django is set up before this module is imported.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import connection, transaction

from approvals import engine
from approvals.actors import Actor
from approvals.models import ApprovalInstance, ApprovalStep, ApprovalTimeline, Channel, Relation, SyncOperation
from config.bench import seed
from config.bench.events import APPROVER
from config.celery import leave_the_program_alone
from wecom.models import Member

OTHERS = ("zhao.vp", "finance01")
MOMENTS = {"one of three": 0, "the last of three": len(OTHERS)}
"""How many of the three have agreed before."""
NO_STATEMENT = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
"""SQLite is told of its transactions by statements; with PostgreSQL the driver does it."""

Values = Mapping[str, Any]
Statement = tuple[str, list[Any]]


def main() -> None:
    call_command("migrate", verbosity=0)
    seed.clear()
    leave_the_program_alone()  # as a worker's process does
    turns, decisions = int(sys.argv[1]), int(sys.argv[2])
    print(json.dumps({moment: measure(agreed, turns, decisions) for moment, agreed in MOMENTS.items()}))


def measure(agreed: int, turns: int, decisions: int) -> dict[str, Any]:
    """Seconds of each turn of the ``product`` and of ``raw``; ``statements`` of one decision, without BEGIN and
    COMMIT."""
    actor = _approver()
    replay = Replay.of(actor, agreed)
    took: dict[str, list[float]] = {"product": [], "raw": []}
    for turn in range(turns + 1):
        fresh = _fresh(2 * decisions, agreed)
        product = _timed(partial(_decide, fresh[:decisions], actor))
        values = [replay.values(row) for row in fresh[decisions:]]
        raw = _timed(partial(replay.run, values))
        _check(fresh)
        if turn:  # the first one warms everybody up
            took["product"].append(product)
            took["raw"].append(raw)
    return {**took, "statements": len(replay.statements)}


def _decide(rows: Iterable[ApprovalInstance], actor: Actor) -> None:
    for row in rows:
        engine.approve(instance=row, actor=actor)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _approver() -> Actor:
    """Somebody who may decide, and whose rights are looked up already, as a request does once."""
    user, _created = User.objects.get_or_create(username=APPROVER)
    user.user_permissions.add(Permission.objects.get(codename="decide_approval"))
    Member.objects.filter(userid=APPROVER).update(user=user)
    actor = Actor(channel=Channel.INTERNAL, user=User.objects.get(pk=user.pk), userid=APPROVER)
    if not actor.may("approvals.decide_approval"):
        raise RuntimeError("the approver may not decide")
    return actor


def _fresh(count: int, agreed: int) -> list[ApprovalInstance]:
    """Approvals in which it is APPROVER's turn, after ``agreed`` of the others."""
    group = [*OTHERS[:agreed], APPROVER, *OTHERS[agreed:]]
    return seed.waiting_here([group] * count, Relation.ALL, agreed=agreed)


def _check(rows: Sequence[ApprovalInstance]) -> None:
    """The bare statements must have done what the product does."""
    for model in (ApprovalTimeline, SyncOperation):
        counts = [model._default_manager.filter(instance__in=half).count() for half in _halves(rows)]
        if counts[0] != counts[1] or not counts[0]:
            raise RuntimeError(f"{model.__name__}: {counts[0]} rows by the product, {counts[1]} by raw SQL")
    states = [
        sorted(ApprovalInstance.objects.filter(pk__in=[row.pk for row in half]).values_list("status", "quote__status"))
        + sorted(ApprovalStep.objects.filter(instance__in=half).values_list("position", "status"))
        for half in _halves(rows)
    ]
    if states[0] != states[1]:
        raise RuntimeError("raw SQL has left other rows than the product")


def _halves(rows: Sequence[ApprovalInstance]) -> tuple[Sequence[ApprovalInstance], Sequence[ApprovalInstance]]:
    return rows[: len(rows) // 2], rows[len(rows) // 2 :]


class Named(NamedTuple):
    """A place of a statement where a value of another row belongs."""

    name: str


@dataclass(frozen=True, slots=True)
class Replay:
    """The statements of a real decision, to be sent for other rows; with Named where these differ."""

    statements: list[Statement]

    @classmethod
    def of(cls, actor: Actor, agreed: int) -> Replay:
        """Learnt from two decisions: what differs between them is about the rows."""
        (one, known), (other, known_other) = (_recorded(row, actor) for row in _fresh(2, agreed))
        if [sql for sql, _values in one] != [sql for sql, _values in other]:
            raise RuntimeError("two decisions sent different statements")
        names = {(known[name], known_other[name]): Named(name) for name in known}
        return cls([(sql, _named(a, b, names)) for (sql, a), (_sql, b) in zip(one, other, strict=True)])

    def values(self, row: ApprovalInstance) -> list[Statement]:
        """The statements for ``row``, ready to be sent."""
        known = _known(row, event=str(uuid.uuid4()), keys=[str(uuid.uuid4()) for _ in range(2)])
        return [(sql, _filled(values, known)) for sql, values in self.statements]

    @staticmethod
    def run(decisions: Iterable[Sequence[Statement]]) -> None:
        """One transaction for each decision, and every answer is read."""
        for statements in decisions:
            with transaction.atomic(), connection.cursor() as cursor:
                for sql, values in statements:
                    cursor.execute(sql, values)
                    if cursor.description:
                        cursor.fetchall()


def _recorded(row: ApprovalInstance, actor: Actor) -> tuple[list[Statement], Values]:
    """What one decision sends, and what is told apart by it."""
    sent: list[Statement] = []

    def record(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(NO_STATEMENT):
            sent.append((sql, list(values or ())))
        return execute(sql, values, many, context)

    with connection.execute_wrapper(record):
        engine.approve(instance=row, actor=actor)
    keys = list(SyncOperation.objects.filter(instance=row).order_by("pk").values_list("key", flat=True))
    return sent, _known(row, event=row.timeline.get().event_id, keys=keys)


def _known(row: ApprovalInstance, *, event: str, keys: Sequence[str]) -> Values:
    step = row.steps.get(userid=APPROVER)
    named_keys = {f"key {place}": key for place, key in enumerate(keys)}
    return {"instance": row.pk, "quote": row.quote_id, "step": step.pk, "event": event} | named_keys


def _named(one: Any, other: Any, names: Mapping[tuple[Any, Any], Named]) -> Any:
    """``one``, with names in place of what is about the row; lists are columns of many rows. Times differ too, and may
    stay those of the first decision."""
    if isinstance(one, list):
        return [_named(a, b, names) for a, b in zip(one, other, strict=True)]
    if not isinstance(one, int | str) or one == other:
        return one
    found = names.get((one, other))
    if found is None and isinstance(one, int):
        raise RuntimeError(f"nobody knows what the parameter {one} is")
    return found or one


def _filled(value: Any, known: Values) -> Any:
    if isinstance(value, list):
        return [_filled(part, known) for part in value]
    return known[value.name] if isinstance(value, Named) else value
