"""Notifications leave: claimed from their queue, handed to their channel, each to its own end.

A message that cannot leave yet (quiet hours, the recipient's rate, a provider that rests) goes back into the queue
until it can, and that counts as no attempt: many may wait, nothing is lost and no worker sleeps.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import structlog
from django.utils import timezone
from django.utils.translation import gettext as _

from config.draining import drain
from config.durable import NotYet, PermanentFailure, TemporaryFailure
from notifications.channels import channel_class
from notifications.channels.base import Channel, Message, NoTurn
from notifications.events import event_named
from notifications.models import Notification
from notifications.quiet import QUIET_HOURS

logger = structlog.get_logger(__name__)

BATCH = 32
"""Rows of one claim. Many, because those that wait go back together; few enough for several workers to share them."""
SLOW = 2.0
"""Seconds. A provider that fails after so long is not reached, and each further message would hold the worker as long,
and all messages of the other channels with it."""
REST = 15.0
"""Seconds for which this process leaves such a provider alone."""

_resting_until: dict[str, float] = {}


def deliver() -> int:
    """Hand due notifications to their channels; returns how many were attempted."""
    with _opened() as channels:
        return drain(Notification, partial(_send, channels), batch=BATCH, wait=partial(_waits, channels))


class _Channels(dict[str, Channel]):
    """The channels of one drain, made when the first message needs them."""

    def __missing__(self, kind: str) -> Channel:
        self[kind] = channel = channel_class(kind)()
        return channel


@contextmanager
def _opened() -> Iterator[_Channels]:
    channels = _Channels()
    try:
        yield channels
    finally:
        for channel in channels.values():
            channel.close()


def _waits(channels: _Channels, rows: Sequence[Notification]) -> list[NotYet | None]:
    """Which rows of a claim cannot leave yet, and until when."""
    answers = dict(zip((row.pk for row in rows), _quiet_hours(rows), strict=True))
    by_kind: dict[str, list[Notification]] = defaultdict(list)
    for row in rows:
        if answers[row.pk] is None:
            by_kind[row.channel].append(row)
    for kind, awake in by_kind.items():
        for row, answer in zip(awake, _turns(channels, kind, awake), strict=True):
            answers[row.pk] = answer
    return list(answers.values())


def _quiet_hours(rows: Sequence[Notification]) -> Iterator[NotYet | None]:
    now = timezone.now()
    ends = {}
    for name in {row.event for row in rows}:
        try:
            ends[name] = event_named(name).quiet(now)
        except KeyError:  # of an event that is gone; its messages are written all the same
            ends[name] = None
    for row in rows:
        end = ends[row.event]
        yield NotYet(QUIET_HOURS, retry_after=(end - now).total_seconds()) if end else None


def _turns(channels: _Channels, kind: str, rows: Sequence[Notification]) -> list[NotYet | None]:
    if resting := _resting(kind):
        return [resting] * len(rows)
    try:
        answers = channels[kind].reserve([_message(row) for row in rows])
    except Exception as error:  # noqa: BLE001 - each row meets it again when it is sent, and says so
        logger.warning("turns_not_reserved", channel=kind, error=str(error))
        return [None] * len(rows)
    return [_with_turn(row, answer) for row, answer in zip(rows, answers, strict=True)]


def _with_turn(row: Notification, answer: NotYet | None) -> NotYet | None:
    if isinstance(answer, NoTurn):
        row.turn_at = answer.turn
    return answer if answer and answer.retry_after > 0 else None


def _send(channels: _Channels, row: Notification) -> None:
    """Handler of one row: raises what the channel says."""
    if resting := _resting(row.channel):
        raise resting
    message, started = _message(row), time.monotonic()
    row.turn_at = None
    try:
        row.provider_id = _channel(channels, row.channel).send(message)[:100]
    except NoTurn as answer:
        row.turn_at = answer.turn
        raise
    except NotYet:
        raise
    except TemporaryFailure:
        if time.monotonic() - started > SLOW:
            _resting_until[row.channel] = time.monotonic() + REST
        raise


def _channel(channels: _Channels, kind: str) -> Channel:
    try:
        return channels[kind]
    except KeyError:
        raise PermanentFailure(_("There is no channel “%(kind)s” any more.") % {"kind": kind}) from None


def _resting(kind: str) -> NotYet | None:
    seconds = _resting_until.get(kind, 0.0) - time.monotonic()
    if seconds <= 0:
        return None
    return NotYet(_("The provider did not answer a moment ago and is left alone for a while."), retry_after=seconds)


def _message(row: Notification) -> Message:
    return Message(
        key=row.key,
        address=row.address,
        recipient=row.recipient,
        subject=row.subject,
        body=row.body,
        event=row.event,
        sms_template=row.sms_template,
        sms_parameters=dict(row.sms_parameters),
        turn=row.turn_at,
    )
