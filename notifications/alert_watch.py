"""Looking, every minute: is a rule broken, is a trouble over? And who looks when the one who should look is dead.

===================  =============================================================================================
beat starts the      A worker looks, every minute: everything is noticed, except that no worker runs (then nobody
task                 carries the task out) and that beat is silent (then nobody starts it).
worker, by itself    While beat is silent, each worker's heartbeat starts the task in beat's place: beat's silence is
                     noticed, and everything else too.
beat, by itself      A thread in beat looks whether a worker lives. When none does, it looks after everything and
                     hands the alerts over itself, because nobody else would.
``check_alerts``     Looks after everything in its own process and hands the alerts over, too. For cron: the only one
                     here that notices that beat *and* all workers are gone.
nobody here          That this whole machine, the database, Redis or the network is gone. Let something outside ask
                     ``/health/ready``, and let whoever runs cron hear of a failing ``check_alerts``.
===================  =============================================================================================
"""

from __future__ import annotations

import threading
import time
from typing import Any

import structlog
from celery.signals import beat_init, heartbeat_sent
from django.db import close_old_connections
from redis import RedisError

from config import heartbeat
from config.draining import keep_lease
from config.wakeup import wake
from notifications.alert_rules import Finding, Rule, rules, threshold_of
from notifications.channels.alert import AlertChannel
from notifications.channels.base import Message
from notifications.incidents import raise_incident, renew_incident, resolve_incident
from notifications.models import ChannelKind, Incident, Notification

logger = structlog.get_logger(__name__)

TASK = "notifications.alerts"
EVERY = 60.0
"""Seconds between two looks."""
BATCH = 8


def look() -> int:
    """Open and resolve incidents as the measured rules say; returns how many findings there are.

    A rule that cannot be measured (Redis is away) leaves its incidents as they are, and the others are looked after.
    """
    return sum(_look_after(rule) for rule in list(rules()) if rule.measure)


def _look_after(rule: Rule) -> int:
    open_ones = {row.key: row for row in Incident.objects.filter(resolved_at=None, key__startswith=rule.prefix)}
    threshold = threshold_of(rule.kind)
    try:
        findings = rule.measure(threshold) if rule.measure and threshold is not None else []
    except Exception as error:  # noqa: BLE001 - one rule that fails must not silence the others
        logger.warning("alert_rule_not_measured", rule=rule.kind, error=str(error) or type(error).__name__)
        return 0
    for finding in findings:
        _apply(finding, open_ones.pop(finding.key, None))
    for incident in open_ones.values():
        if rule.over(incident):
            resolve_incident(incident.key)
    return len(findings)


def _apply(finding: Finding, incident: Incident | None) -> None:
    if incident is not None:
        if finding.detail:
            renew_incident(incident, detail=finding.detail, remedy=finding.remedy)
    elif finding.opens and not _closed_by_a_person(finding):
        raise_incident(finding.key, title=finding.title, detail=finding.detail, remedy=finding.remedy)


def _closed_by_a_person(finding: Finding) -> bool:
    closed = Incident.objects.filter(key=finding.key, resolved_at__gte=finding.since) if finding.since else None
    return closed is not None and closed.exists()


def hand_over() -> int:
    """Send the due alerts from this process; returns how many were attempted. For when no worker can."""
    attempted = 0
    channel = AlertChannel()
    while rows := Notification.objects.filter(channel=ChannelKind.ALERT).claim_due(BATCH):
        with keep_lease(rows):
            for row in rows:
                _hand_over(channel, row)
        attempted += len(rows)
    return attempted


def _hand_over(channel: AlertChannel, row: Notification) -> None:
    message = Message(key=row.key, address=row.address, body=row.body, subject=row.subject, event=row.event)
    try:
        channel.send(message)
        row.finish()
    except Exception as error:  # noqa: BLE001 - whatever went wrong becomes the row's state, and the loop goes on
        logger.warning("alert_not_sent", key=row.key, error=str(error))
        row.fail(error)


class Minder:
    """Says when somebody has to do the work of a silent ``part``. May be asked as often as one likes."""

    def __init__(self, part: heartbeat.Part) -> None:
        self._part: heartbeat.Part = part
        self._next = time.monotonic() + EVERY

    def is_needed(self) -> bool:
        """True at most once a minute, while the part is silent; False when Redis cannot say."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + EVERY
        try:
            return not heartbeat.is_alive(self._part)
        except RedisError:
            return False


_beat = Minder("beat")


@heartbeat_sent.connect
def stand_in_for_beat(**_: Any) -> None:
    """In each worker, every 2 s: while beat is silent, start the task in its place."""
    if _beat.is_needed():
        wake(TASK)


@beat_init.connect
def mind_the_workers(**_: Any) -> None:
    """In beat: a thread that does the workers' part while there is none."""
    threading.Thread(target=stand_in_for_workers, args=(threading.Event(),), name="alert-watch", daemon=True).start()


def stand_in_for_workers(stop: threading.Event) -> None:
    """Until ``stop``: every minute in which no worker lives, look and hand over here."""
    minder = Minder("worker")
    while not stop.wait(EVERY / 60):
        if not minder.is_needed():
            continue
        try:
            look()
            hand_over()
        except Exception as error:  # noqa: BLE001 - the database may be away too; the next minute may be better
            logger.warning("alerts_not_checked", error=str(error) or type(error).__name__)
        finally:
            close_old_connections()
