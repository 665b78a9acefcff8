"""How the mirror has been doing, day by day. Three columns of a few thousand runs: counted here, not in SQL, because
percentiles are not the same in every database."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from projects.models import ProjectStatusChange, ProjectSyncHistory, RunStatus


@dataclass(frozen=True, slots=True)
class Day:
    """``changes``: of status. ``failures``: runs that failed or broke off. ``p50``, ``p95``: seconds that runs took."""

    day: date
    runs: int
    changes: int
    failures: int
    p50: float | None
    p95: float | None


def per_day(days: int = 30) -> list[Day]:
    """The last ``days`` days, the oldest first and today included, in the site's time zone. Two queries."""
    today = timezone.localdate()
    listed = [today - timedelta(days=ago) for ago in reversed(range(days))]
    since = timezone.make_aware(datetime.combine(listed[0], time.min))
    runs, failures, seconds = _runs(since)
    changes = _changes(since)
    return [
        Day(
            day,
            runs[day],
            changes.get(day, 0),
            failures[day],
            percentile(seconds[day], 50),
            percentile(seconds[day], 95),
        )
        for day in listed
    ]


def _runs(since: datetime) -> tuple[Counter[date], Counter[date], dict[date, list[float]]]:
    runs: Counter[date] = Counter()
    failures: Counter[date] = Counter()
    seconds: dict[date, list[float]] = defaultdict(list)
    rows = ProjectSyncHistory.objects.filter(created_at__gte=since).order_by()
    for created_at, started_at, finished_at, status in rows.values_list(
        "created_at", "started_at", "finished_at", "status"
    ).iterator():
        day = timezone.localdate(created_at)
        runs[day] += 1
        failures[day] += status in (RunStatus.FAILED, RunStatus.PARTIAL)
        if started_at and finished_at:
            seconds[day].append((finished_at - started_at).total_seconds())
    return runs, failures, seconds


def _changes(since: datetime) -> dict[date, int]:
    rows = ProjectStatusChange.objects.filter(at__gte=since).order_by().annotate(day=TruncDate("at"))
    return dict(rows.values("day").annotate(count=Count("pk")).values_list("day", "count"))


def percentile(values: list[float], percent: int) -> float | None:
    """The smallest of ``values`` that ``percent`` of them do not exceed; ``None`` of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]
