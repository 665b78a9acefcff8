"""Telling the alert addresses about incidents: one message when one opens, one when it is over, never more.

The messages are rows of channel ``alert``, written in the incident's own transaction: they wait, repeat and are seen
like all others. Whoever was told of the opening is told of the end; an incident that opened when nobody was to be told
stays untold. A storm is folded: what opens (or ends) beyond the first few of a minute shares one message, which leaves
when the minute is over.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.durable import Status, wake_on_commit
from notifications.alert_addresses import Address, addresses
from notifications.alert_rules import to_be_told
from notifications.events import Event, register_event
from notifications.models import ChannelKind, Incident, Notification

OPENED: Final = "incident.opened"
RESOLVED: Final = "incident.resolved"
MOST_PER_MINUTE: Final = 5
"""Messages of one kind in a minute; robots take 20 in all, and nobody reads more than a few."""
MINUTE: Final = timedelta(minutes=1)
LISTED: Final = 10
"""Titles in a message that folds many."""
LONGEST_SUBJECT: Final = 200
NAME: Final = "Quotebridge"
"""Begins every message; robots that demand a keyword are given this one."""


def tell_opened(incident: Incident) -> None:
    """Write the messages about an incident that was raised, if now is the moment: when it opens, or when it has been
    counted as often as its rule wants. In the caller's transaction."""
    if incident.alert or not to_be_told(incident) or not (told := addresses()):
        return
    now = timezone.now()
    with translation.override(settings.LANGUAGE_CODE):
        recent = Incident.objects.filter(alert__startswith="incident:", alerted_at__gt=now - MINUTE)
        incident.alert = f"incident:{incident.pk}"
        if recent.count() < MOST_PER_MINUTE:
            _write(_rows(incident.alert, OPENED, told, _subject(incident.said("title")), _opened_text(incident)))
        else:
            incident.alert = _fold(incident, "alert", OPENED, told, now)
    Incident.objects.filter(pk=incident.pk).update(alert=incident.alert, alerted_at=now)
    incident.alerted_at = now


def tell_resolved(incident: Incident) -> None:
    """Write the recovery notice for those who were told of ``incident``, in the caller's transaction."""
    if not incident.alert:
        return
    now = incident.resolved_at or timezone.now()
    with translation.override(settings.LANGUAGE_CODE):
        told = _those_told(incident, now)
        if not told:
            return
        recent = Incident.objects.filter(recovery__startswith="incident:", resolved_at__gt=now - MINUTE)
        incident.recovery = f"incident:{incident.pk}"
        if recent.count() < MOST_PER_MINUTE:
            subject = _subject(_("Over: %(title)s") % {"title": incident.said("title")})
            _write(_rows(incident.recovery, RESOLVED, told, subject, _resolved_text(incident)))
        else:
            incident.recovery = _fold(incident, "recovery", RESOLVED, told, now)
    Incident.objects.filter(pk=incident.pk).update(recovery=incident.recovery)


def _those_told(incident: Incident, now: datetime) -> list[Address]:
    """Who has received the opening message, or will. Where it has not left yet, it says now that all is over, and
    that is enough; an address that it could not reach is spared."""
    messages = Notification.objects.filter(about=incident.alert, event=OPENED)
    if incident.alert.startswith("incident:"):
        subject = _subject(_("Over already: %(title)s") % {"title": incident.said("title")})
        messages.filter(status__in=(Status.PENDING, Status.FAILED)).update(
            subject=subject, body=_resolved_text(incident), updated_at=now
        )
        messages = messages.filter(status__in=(Status.RUNNING, Status.SUCCEEDED))
    reached = set(messages.exclude(status=Status.DEAD).values_list("address", flat=True))
    return [address for address in addresses() if address.reference in reached]


def _fold(incident: Incident, column: str, event: str, told: Collection[Address], now: datetime) -> str:
    """Put ``incident`` into this minute's common message; returns what that is about.

    Whoever adds to it holds its rows: two transactions that fold at once do not forget each other's incidents.
    """
    minute = now.replace(second=0, microsecond=0)
    while True:
        about = f"incidents:{minute:%Y%m%d%H%M}"
        rows = _rows(about, event, told, "", "")
        for row in rows:
            row.next_attempt_at = minute + MINUTE
        _write(rows)
        waiting = Notification.objects.filter(about=about, event=event, status=Status.PENDING)
        if len(waiting.select_for_update().values_list("pk")) >= len(rows):
            break
        minute += MINUTE  # it has left already
    Incident.objects.filter(pk=incident.pk).update(**{column: about})
    folded = Incident.objects.filter(**{column: about}).order_by("pk")
    waiting.update(subject=_subject(_folded_subject(event, folded.count())), body=_folded_text(folded))
    return about


def _rows(about: str, event: str, told: Collection[Address], subject: str, body: str) -> list[Notification]:
    return [
        Notification(
            key=f"{event}:{about}:{address.reference}",
            event=event,
            channel=ChannelKind.ALERT,
            address=address.reference,
            recipient=address.name[:100],
            language=settings.LANGUAGE_CODE,
            subject=subject,
            body=body,
            about=about,
        )
        for address in told
    ]


def _write(rows: Collection[Notification]) -> None:
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    wake_on_commit(Notification)


def _subject(title: str) -> str:
    return f"{NAME}: {' '.join(title.split())}"[:LONGEST_SUBJECT]


def _opened_text(incident: Incident) -> str:
    parts = (incident.said("detail"), incident.said("remedy"), _page(incident))
    return "\n".join(filter(None, parts))


def _resolved_text(incident: Incident) -> str:
    times = {"opened": _moment(incident.opened_at), "resolved": _moment(incident.resolved_at or timezone.now())}
    return "\n".join((_("Opened %(opened)s, over since %(resolved)s.") % times, _page(incident)))


def _folded_subject(event: str, count: int) -> str:
    if event == OPENED:
        return _("%(count)d more incidents within a minute") % {"count": count}
    return _("%(count)d more incidents are over") % {"count": count}


def _folded_text(folded: QuerySet[Incident]) -> str:
    lines = [f"· {Truncator(incident.said('title')).chars(100)}" for incident in folded[:LISTED]]
    if (rest := folded.count() - len(lines)) > 0:
        lines.append(_("and %(count)d more") % {"count": rest})
    return "\n".join([*lines, settings.API_BASE_URL + reverse("admin:notifications_incident_changelist")])


def _page(incident: Incident) -> str:
    return str(settings.API_BASE_URL) + reverse("admin:notifications_incident_change", args=[incident.pk])


def _moment(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")


# named, so that the list of messages can say what they are; nobody but this module announces them
register_event(Event(OPENED, gettext_lazy("Incident opened"), variables=(), channels=(), defaults={}))
register_event(Event(RESOLVED, gettext_lazy("Incident over"), variables=(), channels=(), defaults={}))
