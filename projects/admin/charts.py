"""What Unfold's charts draw of the days. Colours are its variables or, where it has none, those of ``admin.css``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from projects.statistics import Day

BLUE, GREY, RED = "var(--color-primary-600)", "var(--color-base-400)", "#dc2626"


@dataclass(frozen=True, slots=True)
class Chart:
    title: str | Promise
    kind: str
    data: str
    """JSON, as Chart.js takes it."""
    options: str
    legend: list[tuple[str, str]]
    """Name and colour of each line."""


def charts_of(days: Sequence[Day]) -> list[Chart]:
    labels = [date_format(day.day, "MONTH_DAY_FORMAT") for day in days]
    return [
        _chart(
            _("Runs and failures"),
            "bar",
            labels,
            # the first is drawn last, over the others
            [(_("Failures"), RED, [day.failures for day in days]), (_("Runs"), GREY, [day.runs for day in days])],
        ),
        _chart(_("Status changes"), "bar", labels, [(_("Changes"), BLUE, [day.changes for day in days])]),
        _chart(
            _("Duration of runs, in seconds"),
            "line",
            labels,
            [
                (_("half stayed below (p50)"), BLUE, [day.p50 for day in days]),
                (_("19 of 20 stayed below (p95)"), RED, [day.p95 for day in days]),
            ],
        ),
    ]


def _chart(title: Any, kind: str, labels: list[str], lines: list[tuple[Any, str, list[Any]]]) -> Chart:
    datasets = [
        {"label": str(name), "data": values, "backgroundColor": colour, "borderColor": colour, "spanGaps": True}
        for name, colour, values in lines
    ]
    return Chart(
        title,
        kind,
        json.dumps({"labels": labels, "datasets": datasets}),
        json.dumps(_OPTIONS),
        [(str(name), colour) for name, colour, _values in lines],
    )


_OPTIONS = {
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "grouped": False,
    "maxBarThickness": 12,
    "interaction": {"mode": "index", "intersect": False},
    "elements": {"point": {"radius": 2}, "line": {"borderWidth": 2}},
    "plugins": {"legend": {"display": False}},
    "scales": {
        "x": {"grid": {"display": False}, "ticks": {"maxTicksLimit": 10, "maxRotation": 0}},
        "y": {"beginAtZero": True, "grid": {}, "ticks": {"maxTicksLimit": 5}},
    },
}
