"""``manage.py check_alerts``: look after the alert rules and hand over what is due, in this process."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from redis import RedisError

from config import heartbeat
from notifications import alert_watch
from notifications.models import Incident


class Command(BaseCommand):
    help = (
        "Looks whether a rule of the operations alerts is broken, and sends the alerts that are due, without worker "
        "and scheduler. Let cron run it every few minutes: it is what notices that both are gone. Ends with status 1 "
        "when Redis is away, because then nobody can tell who is alive."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        alert_watch.look()
        sent = alert_watch.hand_over()
        open_ones = Incident.objects.filter(resolved_at=None).order_by("pk")
        for incident in open_ones:
            self.stdout.write(f"! {incident.said('title')}")
        self.stdout.write(f"Open incidents: {len(open_ones)}. Alerts attempted: {sent}.")
        try:
            heartbeat.redis().ping()
        except RedisError as error:
            raise CommandError(f"Redis cannot be reached ({type(error).__name__}).") from None
