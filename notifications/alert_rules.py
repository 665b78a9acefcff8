"""The rules of the operations alerts: what is watched, from which threshold on, and by which function.

A *measured* rule has a function that looks every minute (``notifications.alert_watch``) and returns what it found; an
incident is open as long as it is found. A *counted* rule has none: its incidents are raised by whoever meets the
trouble, and the rule says how often until operators are told. The rules of higher layers are registered by their apps
in ``AppConfig.ready()``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from notifications.models import AlertRule, AlertRuleKind, Incident
from notifications.phrases import Said
from wecom.errcodes import Text

SYNC_FAILED, SYNC_BRAKE = "sync-failed:", "sync-brake:"
"""How the keys of the incidents of counted rules begin; the slug of a source follows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One trouble that a measure has found. ``key``: of its incident, beginning with the rule's prefix."""

    key: str
    title: Said
    detail: Said = ""
    remedy: Said = ""
    since: datetime | None = None
    """The latest thing that happened. An incident that a person closed after it is not opened again for it. None: a
    state that lasts, which is reported again a minute after somebody closed it."""
    opens: bool = True
    """False: too little to open an incident, but it keeps an open one open."""


Measure = Callable[[int], list[Finding]]
"""``measure(threshold)``. What it raises leaves the rule's incidents as they are."""


def _at_once(_incident: Incident) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    kind: str
    prefix: str
    """How the keys of its incidents begin, with a colon at the end."""
    default: int
    """The threshold that its row is created with."""
    unit: Text
    """What the threshold counts, for who edits it."""
    measure: Measure | None = None
    over: Callable[[Incident], bool] = _at_once
    """Whether an open incident that was not found any more is over."""


_rules: dict[str, Rule] = {}


def register_rule(
    kind: str,
    measure: Measure | None = None,
    *,
    prefix: str,
    default: int,
    unit: Text,
    over: Callable[[Incident], bool] = _at_once,
) -> None:
    """To be called in ``AppConfig.ready()``. Registering a kind again replaces it."""
    _rules[kind] = Rule(kind, prefix, default, unit, measure, over)


def rules() -> Iterator[Rule]:
    yield from _rules.values()


def rule_of(kind: str) -> Rule | None:
    return _rules.get(kind)


def create_rules(**_: Any) -> None:
    """post_migrate receiver: every registered rule has its row, which is never overwritten."""
    known = set(AlertRule.objects.values_list("kind", flat=True))
    AlertRule.objects.bulk_create(
        [AlertRule(kind=rule.kind, threshold=rule.default) for rule in rules() if rule.kind not in known],
        ignore_conflicts=True,
    )


def threshold_of(kind: str) -> int | None:
    """From where on a rule is broken; None while it is switched off. Without its row, its default."""
    row = AlertRule.objects.filter(kind=kind).first()
    if row is None:
        return _rules[kind].default
    return row.threshold if row.enabled else None


def to_be_told(incident: Incident) -> bool:
    """Whether operators are told of ``incident`` in the moment in which it was raised or counted."""
    rule = next((rule for rule in rules() if incident.key.startswith(rule.prefix)), None)
    if rule is None or rule.measure:
        return incident.times == 1
    threshold = threshold_of(rule.kind)
    return threshold is not None and incident.times == max(1, threshold)


register_rule(AlertRuleKind.SYNC_FAILED, prefix=SYNC_FAILED, default=3, unit=_("failed runs in a row"))
register_rule(AlertRuleKind.BRAKE, prefix=SYNC_BRAKE, default=1, unit=_("stopped runs in a row"))
