"""Tell people about something: one row per person and channel, in the transaction of what happened.

A row holds the finished words, in its recipient's language. Its key is made of the event, the occasion, the channel and
the address, so whoever announces the same occasion again tells nobody twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.text import Truncator

from config.durable import wake_on_commit
from notifications.channels import channel_class
from notifications.events import Event, event_named
from notifications.models import MessageTemplate, Notification
from notifications.quiet import QUIET_HOURS
from notifications.recipients import Recipient
from notifications.rendering import render, variables_in
from wecom.errcodes import Text

__all__ = ["Occasion", "Recipient", "announce"]

CHUNK = 500
LONGEST_SUBJECT = 200
LONGEST_ADDRESS = 254
LONGEST_FACT = 200
"""Characters. A longer one would push the end of a message, often a link, out of what WeCom takes."""
LONGEST_OCCASION = 80
"""Characters of an occasion's key; the rest of the row's key is ours."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """One thing that happened."""

    key: str
    """Unique among the occasions of its event."""
    about: str
    """``project-change:12``, for the admin's link."""
    recipients: Sequence[Recipient]
    facts: Mapping[str, Text] = field(default_factory=dict)
    """Variable → fact; lazy translations are written in each recipient's language."""


def announce(
    event_name: str,
    occasions: Iterable[Occasion],
    *,
    channels: Collection[str],
) -> dict[str, int]:
    """Write a notification for every recipient and channel of each occasion, and wake a worker on commit.

    ``channels``: kinds; those that the event is not told by are passed over, and so are recipients without an address.
    In the event's quiet hours nothing leaves before they end. Returns the number of rows written for each occasion's
    key: 0 when all were told before. A handful of statements, however many occasions. Raises KeyError for an unknown
    event or channel, ValueError when an occasion's key is too long or a fact is missing.
    """
    event = event_named(event_name)
    occasions = list(occasions)
    kinds = [kind for kind in event.channels if kind in channels]
    counts = {occasion.key: 0 for occasion in occasions}
    rows: dict[str, tuple[Notification, str]] = {}
    for row, key in _rows(event, occasions, kinds, _Words(event)):
        rows.setdefault(row.key, (row, key))
    now = timezone.now()
    quiet = event.quiet(now)
    for known in list(_known(rows)):
        del rows[known]
    for row, key in rows.values():
        row.next_attempt_at = quiet or now
        row.last_error = (
            str(QUIET_HOURS) if quiet else ""
        )  # why it waits, as delivery says it of those that it puts back
        counts[key] += 1
    if rows:
        # ignore_conflicts: somebody else may be announcing the same just now
        Notification.objects.bulk_create((row for row, _key in rows.values()), CHUNK, ignore_conflicts=True)
        wake_on_commit(Notification)
    return counts


class _Words:
    """The texts of one event, read once."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self._edited = {
            (row.channel, row.language): row for row in MessageTemplate.objects.filter(event=event.name).iterator()
        }

    def of(self, channel: str, language: str) -> tuple[str, str, str]:
        """Subject, text, and the number of the template at the SMS provider."""
        row = self._edited.get((channel, language)) or self._edited.get((channel, settings.LANGUAGE_CODE))
        return (row.subject, row.body, row.sms_template) if row else (*self._event.default(channel, language), "")


def _rows(
    event: Event, occasions: Iterable[Occasion], kinds: Sequence[str], words: _Words
) -> Iterator[tuple[Notification, str]]:
    """All there are to be, each with its occasion's key; those of one address are equal in their keys."""
    for occasion in occasions:
        _demand_complete(event, occasion)
        facts = cache(lambda language, occasion=occasion: _facts_in(language, occasion.facts))
        for recipient in occasion.recipients:
            language = recipient.language or settings.LANGUAGE_CODE
            for kind in kinds:
                if address := channel_class(kind).address_of(recipient):
                    row = _row(event, occasion, kind, address, words.of(kind, language), facts(language))
                    row.recipient, row.role, row.language = recipient.name[:100], recipient.role[:20], language
                    yield row, occasion.key


def _demand_complete(event: Event, occasion: Occasion) -> None:
    if len(occasion.key) > LONGEST_OCCASION:
        raise ValueError(f"{event.name}: the key of an occasion is too long: {occasion.key}")
    if missing := sorted(event.names - set(occasion.facts)):
        raise ValueError(f"{event.name}: facts are missing: {', '.join(missing)}")


def _facts_in(language: str, facts: Mapping[str, Text]) -> dict[str, str]:
    with translation.override(language):
        return {name: Truncator(str(fact)).chars(LONGEST_FACT, truncate="…") for name, fact in facts.items()}


def _row(
    event: Event,
    occasion: Occasion,
    kind: str,
    address: str,
    words: tuple[str, str, str],
    facts: Mapping[str, str],
) -> Notification:
    subject, body, sms_template = words
    # keys are logged and shown, addresses are not; a plain hash of a phone number is guessed in a minute
    digest = salted_hmac("notifications.address", address.casefold(), algorithm="sha256").hexdigest()[:24]
    return Notification(
        key=f"{event.name}:{occasion.key}:{kind}:{digest}",
        event=event.name,
        channel=kind,
        # one that is too long for the column reaches nobody; cut off with a mark it cannot become somebody else's
        address=Truncator(address).chars(LONGEST_ADDRESS, truncate="…"),
        # one line, whatever a fact holds: a line break would end the header of an email
        subject=" ".join(render(subject, facts).split())[:LONGEST_SUBJECT],
        body=render(body, facts).strip(),
        sms_template=sms_template,
        # pairs, not an object: PostgreSQL forgets the order of an object's keys
        sms_parameters=[[name, facts.get(name, "")] for name in variables_in(body)] if sms_template else [],
        about=occasion.about,
    )


def _known(keys: Iterable[str]) -> Iterator[str]:
    """Those of ``keys`` that were told before."""
    wanted = list(keys)
    for start in range(0, len(wanted), CHUNK):
        yield from Notification.objects.filter(key__in=wanted[start : start + CHUNK]).values_list("key", flat=True)
