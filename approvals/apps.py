from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApprovalsConfig(AppConfig):
    name = "approvals"
    verbose_name = _("Quotes and approvals")

    def ready(self) -> None:
        from approvals import alert_rules, doctor, listeners, metrics  # noqa: F401 - they register themselves
        from approvals.cards import clicks  # noqa: F401 - likewise
        from config.schedules import register_schedule

        register_schedule(
            "approvals: reconcile",
            "approvals.reconcile",
            every=timedelta(minutes=2),
            description=_("Compares open approvals with WeCom and repairs what was lost on the way."),
        )
        register_schedule(
            "approvals: reminders",
            "approvals.reminders",
            every=timedelta(minutes=15),
            description=_("Reminds of approvals that are overdue by their rules, and escalates them."),
        )
        register_schedule(
            "approvals: cards",
            "approvals.cards",
            every=timedelta(minutes=10),
            description=_("Turns cards in WeCom whose buttons are about to end into cards that lead to the system."),
        )
        register_schedule(
            "approvals: sweep",
            "approvals.sweep",
            every=timedelta(seconds=30),
            description=_("Wakes a worker for operations that were left behind."),
        )
