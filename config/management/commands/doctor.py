"""``manage.py doctor``: the whole integration checklist, one line each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from config.doctor import examine


@contextmanager
def _only_warnings() -> Iterator[None]:
    """The calls that the checks make are news in a server's log; between the lines of this list they are noise."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.INFO))
    try:
        yield
    finally:
        logging.disable(before)


class Command(BaseCommand):
    help = (
        "Check the whole integration: settings, database, Redis, worker, beat, and everything that is asked of WeCom, "
        "sent to it or told by it. One line each, a remedy under each failure; exit status 1 if anything failed. "
        "Changes nothing."
    )
    requires_system_checks: list[str] = []  # a wrong setting is a finding, not the end

    def handle(self, *args: Any, **options: Any) -> None:
        with _only_warnings():
            failures = self._report()
        if failures:
            raise CommandError(_("%(count)d checks failed.") % {"count": failures}, returncode=1)
        self.stdout.write(self.style.SUCCESS(_("Everything is in working order.")))

    def _report(self) -> int:
        failures = 0
        for title, result in examine():
            if result.ok:
                self.stdout.write(f"{self.style.SUCCESS('ok')}      {title}: {result.sentence}")
                continue
            failures += 1
            self.stdout.write(f"{self.style.ERROR('FAILED')}  {title}: {result.sentence}")
            if result.remedy:
                self.stdout.write(f"        → {result.remedy}")
            self.stdout.flush()
        return failures
