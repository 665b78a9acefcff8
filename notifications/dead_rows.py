"""Rows that nobody will repeat, told by cause: one incident for all dead rows of a queue that died of the same thing.

The cause is WeCom's error code where the row's error names one, else its sentence with everything that looks like a
number taken out. It is kept as a regular expression over ``last_error``, so that the database counts the rows, and the
list in admin shows exactly these.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, Max, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext_noop

from config.durable import DurableRow, Status, queues
from notifications.alert_rules import Finding
from notifications.models import Incident
from notifications.phrases import Phrase

PREFIX = "dead-rows:"
SENTENCE_LENGTH = 160
"""Characters of a sentence, numbers not counted, that make its cause."""
CALM = timedelta(seconds=20)
_ERRCODE = re.compile(r"errcode (\d+)")
_VARIABLE = re.compile(r"[\w.:/-]*\d[\w.:/-]*", re.ASCII)
_REFERENCE = re.compile(r" ?\[[^\]]*\]$")
"""``[message/send, errcode 48002, hint …]``: for who looks into it, not for a headline."""
_ANY = r"[A-Za-z0-9_.:/-]+"

TITLE = gettext_noop("%(queue)s gave up: %(sentence)s")
DETAIL = gettext_noop("Dead rows with this cause: %(count)d. The latest of them: %(sentence)s")
REMEDY = gettext_noop("Remove the cause, then press “Retry” at the rows. This message ends when none of them is dead.")

Narrow = Callable[[QuerySet[Any]], QuerySet[Any]]
_settled: dict[str, Narrow] = {}


def leave_out(model: type[DurableRow], narrow: Narrow) -> None:
    """To be called in ``AppConfig.ready()``: ``narrow`` takes away the dead rows that need nobody any more."""
    _settled[model._meta.label_lower] = narrow


@dataclass(frozen=True, slots=True)
class Cause:
    """Why rows of a queue died. ``pattern``: what their errors match; ``sentence``: one of them."""

    model: type[DurableRow]
    pattern: str
    sentence: str

    @classmethod
    def of(cls, model: type[DurableRow], error: str) -> Cause:
        line = error.partition("\n")[0]
        code = _ERRCODE.search(error)
        return cls(model, rf"errcode {code[1]}([^0-9]|$)" if code else _pattern(line), line[: 2 * SENTENCE_LENGTH])

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.model._meta.label_lower}:{hashlib.sha256(self.pattern.encode()).hexdigest()[:16]}"

    def finding(self, count: int, *, since: datetime | None = None, opens: bool = True) -> Finding:
        queue = Phrase.of(self.model._meta.verbose_name_plural or "")
        return Finding(
            self.key,
            title=Phrase(TITLE, queue=queue, sentence=_REFERENCE.sub("", self.sentence)),
            detail=Phrase(DETAIL, count=count, sentence=self.sentence, pattern=self.pattern),
            remedy=Phrase(REMEDY),
            since=since,
            opens=opens,
        )


def _pattern(line: str) -> str:
    """What every sentence matches that differs from ``line`` in its numbers only."""
    parts, room = [], SENTENCE_LENGTH
    for part in _VARIABLE.split(line):
        parts.append(re.escape(part[:room]))
        room -= len(part)
        if room <= 0:
            return "^" + _ANY.join(parts)
    return "^" + _ANY.join(parts) + r"(\n|$)"


def dead(model: type[DurableRow]) -> QuerySet[Any]:
    """The dead rows of a queue that a person should look at."""
    rows = model._default_manager.dead().exclude(last_error="")
    narrow = _settled.get(model._meta.label_lower)
    return narrow(rows) if narrow else rows


def measure(threshold: int) -> list[Finding]:
    """The causes that rows are dead of; an incident is opened from ``threshold`` rows on."""
    return [
        cause.finding(count, since=latest, opens=count >= threshold)
        for model in queues()
        for cause, count, latest in _causes(model)
    ]


def _causes(model: type[DurableRow]) -> Iterator[tuple[Cause, int, datetime | None]]:
    """Each cause with its number of rows and the moment of the latest death. The database counts equal errors: a queue
    may hold many thousand rows that died of one thing, and this is asked every minute."""
    found: dict[str, tuple[Cause, int, datetime | None]] = {}
    errors = dead(model).values("last_error").annotate(count=Count("pk"), latest=Max("finished_at"))
    in_time = errors.order_by(F("latest").asc(nulls_first=True), "last_error")
    for error, more, latest in in_time.values_list("last_error", "count", "latest").iterator(chunk_size=2000):
        cause = Cause.of(model, error)
        _earlier, count, _at = found.get(cause.key, (cause, 0, None))
        found[cause.key] = (cause, count + more, latest)
    yield from found.values()


def is_over(incident: Incident) -> bool:
    """Whether no row of ``incident`` has been dead for a while: one that was retried is no success yet."""
    rows = rows_of(incident)
    over = rows is None or not rows.exists()
    since, now = incident.over_since, timezone.now()
    if over != (since is not None):
        incident.over_since = now if over else None
        incident.save(update_fields=["over_since"])
    return over and since is not None and now - since >= CALM


def rows_of(incident: Incident) -> QuerySet[Any] | None:
    """The dead rows that ``incident`` is about; None when it is about something else."""
    found = _queue_and_pattern(incident)
    return dead(found[0]).filter(last_error__regex=found[1]) if found else None


def list_of(incident: Incident) -> str:
    """The address of their list in admin; empty when there is none."""
    found = _queue_and_pattern(incident)
    if found is None:
        return ""
    meta = found[0]._meta
    try:
        path = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    except NoReverseMatch:
        return ""
    return f"{path}?{urlencode({'status__exact': Status.DEAD.value, 'last_error__regex': found[1]})}"


def _queue_and_pattern(incident: Incident) -> tuple[type[DurableRow], str] | None:
    pattern = (incident.words.get("detail") or {}).get("gaps", {}).get("pattern")
    if not incident.key.startswith(PREFIX) or not pattern:
        return None
    label = incident.key.removeprefix(PREFIX).partition(":")[0]
    model = next((model for model in queues() if model._meta.label_lower == label), None)
    return (model, pattern) if model else None
