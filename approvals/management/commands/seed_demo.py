"""``manage.py seed_demo``: people of each role, rules, and quotes in every state."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import demo, demo_stories
from approvals.models import Quote
from approvals.simulate import StandinFailed
from wecom.configs import default_config
from wecom.errors import WeComError

WORDS_OF_ROLES = {
    "": gettext_lazy("superuser (may do everything)"),
    "sales": gettext_lazy("sales (makes quotes and submits them)"),
    "approver": gettext_lazy("approver (decides where asked)"),
    "integration_admin": gettext_lazy("integration administrator (connects WeCom, settles conflicts)"),
    "auditor": gettext_lazy("auditor (sees everything, changes nothing)"),
}
"""Name of a group → what a person reads."""


class Command(BaseCommand):
    help = (
        "Fill the database for trying things out: users of each role (with a known password!), approval rules, and "
        "quotes in every state. Works with the WeCom stand-in only. What exists already is left alone."
    )
    requires_system_checks: list[str] = []  # part of each start of the demo, which has checked already

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.WECOM_STANDIN_URL:
            raise CommandError(
                _(
                    "seed_demo makes log-ins with a known password, so it works with the WeCom stand-in only "
                    "(WECOM_STANDIN_URL)."
                )
            )
        config = default_config()
        if config is None:
            raise CommandError(_("Set WECOM_CORP_ID, WECOM_AGENT_ID and WECOM_SECRET."))
        demo.seed_people(config)
        template = demo.seed_rules(config)
        if not Quote.objects.exists():
            demo_stories.tell_local_stories()
            try:
                demo.seed_directory(config)
                demo.seed_mapping(template)
                demo_stories.tell_card_stories()
                demo_stories.tell_wecom_stories()
                if config.engine_template_id:  # an older demo's .env names none
                    demo_stories.tell_engine_story()
            except (WeComError, StandinFailed) as error:
                self.stderr.write(_("Quotes decided in WeCom are missing: %(why)s") % {"why": error})
        self._print_log_ins()

    def _print_log_ins(self) -> None:
        self.stdout.write(_("Log in with the password %(password)s as:") % {"password": demo.PASSWORD})
        for person in demo.PEOPLE:
            self.stdout.write(f"  {person.username:<11} {person.name}  {WORDS_OF_ROLES[person.role]}")
