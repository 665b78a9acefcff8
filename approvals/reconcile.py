"""Compensation: what WeCom did not tell us, or we did not hear, is found out and repaired.

A full run compares everything that is open at WeCom, now and then what was approved, looks for lost submissions,
places parked events and wakes workers for rows that were left behind. Every part goes through
``engine.apply_remote``, which is idempotent; so two runs at once would only waste calls, and the lock in Redis is a
courtesy, not a safeguard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import structlog
from django.utils.translation import gettext_noop
from redis import RedisError
from redis.exceptions import LockError

from approvals import adoption, reconcile_ended, reconcile_engine, reconcile_oa
from approvals.comparison import Comparison, Report
from approvals.models import ApprovalInstance, Flow, InstanceStatus, SyncOperation
from config.durable import sweep
from notifications.incidents import raise_incident, resolve_incident
from notifications.phrases import Phrase
from wecom.redis import redis

logger = structlog.get_logger(__name__)

LOCK = "approvals:reconcile"
CYCLES = "approvals:reconcile:cycles"
LOCK_SECONDS = 600
"""Longest time that a killed run can keep others out."""
INCIDENT = "reconcile"


def reconcile(ids: Iterable[int] | None = None) -> Report:
    """Compare with WeCom: all that is open, or the approvals ``ids`` whatever their state ("sync now").

    Failures of WeCom end up in the report; the rest of the work is done and kept.
    """
    if ids is not None:
        comparison = Comparison(asked_for=True)
        compare_some(comparison, ids)
        return comparison.report
    with _one_at_a_time() as mine:
        if not mine:
            return Report(skipped=True)
        return _compare_all()


def _compare_all() -> Report:
    comparison, cycle = Comparison(), _next_cycle()
    reconcile_oa.compare(comparison, cycle)
    reconcile_ended.compare(comparison, cycle)
    reconcile_engine.compare(comparison)
    adoption.find_abandoned(comparison)
    adoption.place_parked(comparison)
    sweep(SyncOperation)
    _tell_operators(comparison)
    logger.info("reconciled", **comparison.report.as_json())
    return comparison.report


def compare_some(comparison: Comparison, ids: Iterable[int]) -> None:
    """Compare the approvals ``ids`` whatever their state; the outcome is in ``comparison``."""
    related = ApprovalInstance.objects.select_related("config", "template__config")
    for instance in related.filter(pk__in=list(ids)).exclude(flow=Flow.INTERNAL):
        if instance.flow == Flow.WECOM_ENGINE:
            reconcile_engine.confirm(comparison, [instance])
        elif instance.sp_no and instance.config is not None:
            reconcile_oa.confirm(comparison, instance.config, instance.sp_no)
        elif instance.status == InstanceStatus.SUBMITTING:
            adoption.look_up(comparison, instance)


def _tell_operators(comparison: Comparison) -> None:
    """An outage passes by itself; what WeCom refuses for good needs a person."""
    if comparison.needs_a_person:
        error = comparison.needs_a_person[0]
        raise_incident(
            INCIDENT,
            title=Phrase(gettext_noop("Approvals cannot be compared with WeCom")),
            detail="\n".join(comparison.report.errors),
            remedy=str(error.remedy),
        )
    elif not comparison.report.errors:
        resolve_incident(INCIDENT)


@contextmanager
def _one_at_a_time() -> Iterator[bool]:
    """Whether this process may run. Without Redis it may: see the module's docstring."""
    lock = redis().lock(LOCK, timeout=LOCK_SECONDS, blocking=False)
    held = False
    try:
        held = bool(lock.acquire())
        mine = held
    except RedisError:
        mine = True
    try:
        yield mine
    finally:
        if held:
            with suppress(LockError, RedisError):
                lock.release()


def _next_cycle() -> int:
    with suppress(RedisError):
        return int(redis().incr(CYCLES))
    return 0
