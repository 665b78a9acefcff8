"""Comparing the approvals of the approval app by set difference (doc 91816).

What WeCom lists as pending and is open here is proved by the list alone; only what is open here and *not* in the list
costs a call of its own. K open approvals of which c changed cost about K/100 + c calls instead of K.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil

from django.db.models import Q
from django.utils import timezone

from approvals.comparison import Comparison, CountedClient
from approvals.models import ApprovalInstance, Flow
from approvals.models.instances import LIVE
from approvals.submission import CLOCK_DIFFERENCE
from wecom.models import WeComConfig
from wecom.oa import LONGEST_WINDOW, get_approval_detail, list_approval_numbers

OPEN_AT_WECOM = Q(status__in=LIVE) | Q(remote_pending=True)
PENDING = "1"
"""``sp_status`` of a form that nobody has decided (fact sheet 4.7)."""
SUBMISSION_DELAY = timedelta(hours=1)
"""WeCom files a form under the time it arrived there, which is later than ours; a window's last hour is left to the
next one, so that no form falls between two."""
ALL_EVERY_CYCLE = 30_000
"""Open approvals up to which every window is read in every cycle; with n times as many, an old one in every n-th."""
MOST_DETAILS = 1_000
"""Forms read one by one in a run (two minutes of the limit, doc 90312); those proved longest ago come first."""
ROWS_PER_UPDATE = 500
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Open:
    """One approval that is open here."""

    submitted_at: datetime
    pk: int
    sp_no: str
    last_synced_at: datetime | None


@dataclass(frozen=True, slots=True)
class Window:
    start: datetime
    end: datetime
    rows: Sequence[Open]


def compare(comparison: Comparison, cycle: int) -> None:
    """Compare everything that is open at WeCom. ``cycle`` counts the runs."""
    groups = _groups()
    configs = WeComConfig.objects.in_bulk({config_id for config_id, _template in groups})
    rounds = ceil(sum(map(len, groups.values())) / ALL_EVERY_CYCLE)
    missing: list[tuple[WeComConfig, Open]] = []
    for (config_id, template_id), rows in groups.items():
        config = configs[config_id]
        for window in turn_of(plan(rows, timezone.now()), cycle, rounds):
            absent = comparison.attempt(config, partial(_absent, comparison, template_id, window))
            missing += [(config, row) for row in absent or ()]
    missing.sort(key=lambda entry: entry[1].last_synced_at or NEVER)
    for config, row in missing[:MOST_DETAILS]:
        confirm(comparison, config, row.sp_no)


def _groups() -> dict[tuple[int, str], list[Open]]:
    """The open approvals by app and template, each group ordered by time of submission."""
    rows = (
        ApprovalInstance.objects.filter(OPEN_AT_WECOM, flow=Flow.WECOM_OA, config__enabled=True, template__isnull=False)
        .exclude(sp_no="")
        .order_by("submitted_at")
        .values_list("config_id", "template__template_id", "submitted_at", "pk", "sp_no", "last_synced_at")
    )
    groups: dict[tuple[int, str], list[Open]] = defaultdict(list)
    for config_id, template_id, submitted_at, pk, sp_no, synced in rows.iterator(chunk_size=2000):
        groups[config_id, template_id].append(Open(submitted_at, pk, sp_no, synced))
    return groups


def plan(rows: Sequence[Open], now: datetime) -> list[Window]:
    """Windows of at most 31 days that cover ``rows`` (ordered by time), oldest first; none where nothing is open."""
    windows: list[Window] = []
    times = [row.submitted_at for row in rows]
    first = 0
    while first < len(rows):
        start = (times[first] - CLOCK_DIFFERENCE).replace(microsecond=0)
        end = min(start + LONGEST_WINDOW, now + CLOCK_DIFFERENCE)
        covered_until = end - SUBMISSION_DELAY if end < now else end
        after = max(first + 1, bisect_right(times, covered_until))
        windows.append(Window(start, end, rows[first:after]))
        first = after
    return windows


def turn_of(windows: Sequence[Window], cycle: int, rounds: int) -> Iterator[Window]:
    """The windows to read in this cycle: the newest always, each older one in every ``rounds``-th."""
    for age, window in enumerate(reversed(windows)):
        if age == 0 or (cycle + age) % max(rounds, 1) == 0:
            yield window


def _absent(comparison: Comparison, template_id: str, window: Window, client: CountedClient) -> list[Open]:
    """The rows of the window that WeCom does not list as pending; the listed ones are marked as proved."""
    unseen = {row.sp_no: row for row in window.rows}
    proved: list[int] = []
    filters = {"template_id": template_id, "sp_status": PENDING}
    for number in list_approval_numbers(
        client, start=window.start, end=window.end, filters=filters, lane=comparison.lane
    ):
        row = unseen.pop(number, None)
        if row is not None:
            proved.append(row.pk)
            if len(proved) == ROWS_PER_UPDATE:
                _mark_proved(comparison, proved)
                proved = []
    _mark_proved(comparison, proved)
    return list(unseen.values())


def _mark_proved(comparison: Comparison, pks: Sequence[int]) -> None:
    if pks:
        comparison.report.checked += ApprovalInstance.objects.filter(pk__in=pks).update(last_synced_at=timezone.now())


def confirm(comparison: Comparison, config: WeComConfig, sp_no: str) -> None:
    """Read one form and take it in. Its absence from the list was a hint, this is the proof."""

    def read(client: CountedClient) -> None:
        comparison.take_in(get_approval_detail(client, sp_no, lane=comparison.lane), config)

    comparison.attempt(config, read, about=sp_no)
