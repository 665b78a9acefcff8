"""``manage.py seed_projects_demo``: the stand-in's projects in the mirror, and a customer's link."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from projects import demo
from projects.errors import AlreadyRunning


class Command(BaseCommand):
    help = (
        "Fill the mirror from the project library's stand-in, make links to one of its projects, and print the "
        "customer's. Works with the stand-in only. What is there already stays."
    )
    requires_system_checks: list[str] = []  # part of each start of the demo, which has checked already

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.PROJECTS_STANDIN_URL:
            raise CommandError(
                _("seed_projects_demo works with the project library's stand-in only (PROJECTS_STANDIN_URL).")
            )
        demo.follow_the_stand_in()
        try:
            demo.fill_mirror()
            page, original = demo.make_links()
        except (demo.DemoFailed, AlreadyRunning) as error:
            # the rest of the demo works without
            self.stderr.write(_("Projects are missing: %(why)s") % {"why": error})
            return
        self.stdout.write(_("A customer's page (best in a narrow window), and its project in the library:"))
        self.stdout.write(f"  {page}\n  {original}")
