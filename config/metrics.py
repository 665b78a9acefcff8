"""What ``/metrics`` tells, and how an app adds to it.

Two kinds of numbers:

- *Counted as it happens*, in any process: a ``Counter`` or ``Histogram``, made where an app's ``metrics.py`` is
  imported. Where such counts meet, and what is promised of them, stands in ``config.metrics_tally``.
- *Looked up when asked*: a function that an app hands to ``register_source`` in ``AppConfig.ready``. It returns metric
  families of prometheus-client; its queries must be few, bounded, and never count a table that grows.

A label takes the values that are named beforehand, everything else becomes ``other``: so no person, secret or text from
outside can become a label, and the number of series is known.

Sources are asked in two lanes, each in a thread with a deadline: what needs Redis is not missing because the database
hangs, and the other way round. ``quotebridge_source_up`` tells which ones answered.
"""

from __future__ import annotations

import itertools
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Literal

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.utils import floatToGoString

from config import metrics_tally
from config.probes import PATIENCE, Probe

logger = structlog.get_logger(__name__)

PREFIX = "quotebridge_"
OTHER = "other"
_BETWEEN = "|"
_SUM = "sum"
_MICRO = 1_000_000

Lane = Literal["database", "redis"]
Source = Callable[[], Iterable[Metric]]
Labels = tuple[str, ...]


class Instrument:
    """Something that is counted as it happens. ``labels``: name → the values it may take."""

    def __init__(self, name: str, documentation: str, **labels: Collection[str]) -> None:
        if name in _instruments or not name.startswith(PREFIX):
            raise ValueError(f"{name} is taken, or does not start with {PREFIX}")
        self.name, self.documentation = name, documentation
        self.labels = tuple(labels)
        self._known = [frozenset(values) for values in labels.values()]
        _instruments[name] = self

    def _field(self, values: Sequence[str], *more: str) -> str:
        folded = (value if value in known else OTHER for value, known in zip(values, self._known, strict=True))
        return _BETWEEN.join((self.name, *folded, *more))

    def family(self, counts: Mapping[Labels, int]) -> Metric:
        """The family to expose, made of the counts of all processes by what follows the name in their fields."""
        raise NotImplementedError


class Counter(Instrument):
    """How often something has happened. ``name`` comes without ``_total``.

    ``from_zero``: all its series exist before anything has happened, so that the first one shows as an increase.
    """

    def __init__(self, name: str, documentation: str, *, from_zero: bool = False, **labels: Collection[str]) -> None:
        super().__init__(name, documentation, **labels)
        self._from_zero = list(itertools.product(*labels.values())) if from_zero else []

    def add(self, *values: str, count: int = 1) -> None:
        """``values``: of the labels, in their order. Costs about a microsecond and cannot fail."""
        metrics_tally.add({self._field(values): count})

    def family(self, counts: Mapping[Labels, int]) -> Metric:
        family = CounterMetricFamily(self.name, self.documentation, labels=self.labels)
        for values, count in (dict.fromkeys(self._from_zero, 0) | dict(counts)).items():
            if len(values) == len(self.labels):
                family.add_metric(values, count)
        return family


class Histogram(Instrument):
    """How long something took: how often at most as long as each of ``buckets`` (seconds, ascending)."""

    def __init__(self, name: str, documentation: str, *, buckets: Sequence[float], **labels: Collection[str]) -> None:
        super().__init__(name, documentation, **labels)
        self._bounds = [*map(float, buckets), float("inf")]
        self._words = [floatToGoString(bound) for bound in self._bounds]

    def observe(self, seconds: float, *values: str) -> None:
        """One more that took ``seconds``; less than nothing (clocks differ) counts as nothing."""
        seconds = max(0.0, seconds)
        bucket = self._words[bisect_left(self._bounds, seconds)]
        metrics_tally.add({self._field(values, bucket): 1, self._field(values, _SUM): round(seconds * _MICRO)})

    def family(self, counts: Mapping[Labels, int]) -> Metric:
        family = HistogramMetricFamily(self.name, self.documentation, labels=self.labels)
        series: dict[Labels, dict[str, int]] = defaultdict(dict)
        for (*values, part), count in counts.items():
            series[tuple(values)][part] = count
        for labels, parts in series.items():
            family.add_metric(labels, self._cumulated(parts), parts.get(_SUM, 0) / _MICRO)
        return family

    def _cumulated(self, parts: Mapping[str, int]) -> list[tuple[str, float]]:
        counts = [0] * len(self._bounds)
        for word, count in parts.items():
            if word != _SUM:  # a bound of an earlier version joins the next larger one of ours
                counts[bisect_left(self._bounds, float(word))] += count
        return list(zip(self._words, itertools.accumulate(counts), strict=True))


_instruments: dict[str, Instrument] = {}
_sources: dict[Lane, dict[str, Source]] = {"database": {}, "redis": {}}


def register_source(name: str, read: Source, *, lane: Lane) -> None:
    """Have ``read`` asked at every scrape. ``name`` (``wecom.tokens``) says in ``quotebridge_source_up`` who failed."""
    if any(name in sources for sources in _sources.values()):
        raise ValueError(f"{name} is registered already")
    _sources[lane][name] = read


def gauge(
    name: str, documentation: str, samples: Iterable[tuple[Sequence[str], float]], labels: Sequence[str] = ()
) -> Metric:
    """A family of the current values of something: (values of the labels, value) each."""
    family = GaugeMetricFamily(PREFIX + name, documentation, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def counted() -> list[Metric]:
    """The families of everything that is counted as it happens. Raises redis.RedisError."""
    counts: dict[str, dict[Labels, int]] = defaultdict(dict)
    for field, count in metrics_tally.totals().items():
        name, *labels = field.split(_BETWEEN)
        counts[name][tuple(labels)] = count
    return [instrument.family(counts[name]) for name, instrument in _instruments.items()]


Asked = tuple[list[Metric], dict[str, float]]


def _ask(lane: Lane) -> Asked:
    """What the sources of a lane say, and how many seconds each that answered took."""
    families: list[Metric] = []
    seconds: dict[str, float] = {}
    for name, read in _sources[lane].items():
        started = time.monotonic()
        try:
            families += read()
        except Exception as error:  # noqa: BLE001 - one that fails must not hide the others
            logger.warning("metrics_source_failed", source=name, error=type(error).__name__)
        else:
            seconds[name] = time.monotonic() - started
    return families, seconds


# nothing is shared between two scrapes that follow one another; a lane that hangs is left alone
_lanes = [Probe(f"metrics-{lane}", partial(_ask, lane), fresh_for=0.0) for lane in _sources]


def collect() -> list[Metric]:
    """Every family, after ``PATIENCE`` seconds at the latest; what has not answered by then is missing."""
    deadline = time.monotonic() + PATIENCE
    runs = [probe.run() for probe in _lanes]
    families: list[Metric] = []
    seconds: dict[str, float] = {}
    for run in runs:
        answered = run.result(deadline).value
        if answered is not None:
            families += answered[0]
            seconds |= answered[1]
    names = [name for sources in _sources.values() for name in sources]
    return [
        *families,
        gauge("source_up", "1: this source of metrics answered.", [((n,), n in seconds) for n in names], ["source"]),
        gauge("source_seconds", "What asking this source took.", [((n,), s) for n, s in seconds.items()], ["source"]),
    ]


register_source("config.counted", counted, lane="redis")
