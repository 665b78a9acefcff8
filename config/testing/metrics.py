"""Reading metrics in tests: from a page's text, from what was counted, from a source."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from config.metrics import counted
from config.metrics_tally import flush

Families = dict[str, Metric]


def parsed(text: str) -> Families:
    """The families of a page in the text format; raises ValueError where it is none."""
    return named(text_string_to_metric_families(text))


def told() -> Families:
    """What all processes have counted so far, this one included."""
    assert flush()
    return named(counted())


def looked_up(source: Callable[[], Iterable[Metric]]) -> Families:
    return named(source())


def named(families: Iterable[Metric]) -> Families:
    return {family.name: family for family in families}


def series(families: Families, name: str, suffix: str = "") -> dict[tuple[str, ...], float]:
    """Values of the labels, in the order of the labels' names → value; without what is zero."""
    return {
        tuple(sample.labels[label] for label in sorted(sample.labels)): sample.value
        for sample in families[name].samples
        if sample.name == name + suffix and sample.value
    }
