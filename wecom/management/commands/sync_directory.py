"""``manage.py sync_directory``: bring departments, members and customers in line with WeCom now."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.bars import bar_on_terminal
from config.durations import duration_words
from wecom.configs import config_for_slug
from wecom.directory_sync import brake, runs
from wecom.directory_sync.diff import Difference
from wecom.directory_sync.fetch import PutBack
from wecom.directory_sync.forecast import Forecast, forecast
from wecom.directory_sync.progress import Tell
from wecom.errors import WeComError
from wecom.models import DirectoryRunStatus, DirectorySyncRun, DirectoryType, WeComConfig

TOLD_EVERY = 10.0
"""Seconds between two lines about the progress where there is no terminal to draw a bar on."""


class Command(BaseCommand):
    help = (
        "Bring the directory in line with WeCom: departments, members, customers. Exit status 1 if the run failed or "
        "was put off, the brake held, or a run was under way already."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--type",
            dest="sync_type",
            choices=DirectoryType.values,
            default=DirectoryType.FULL.value,
            help="what is read (default: %(default)s)",
        )
        parser.add_argument("--app", metavar="SLUG", default="", help="the app that reads (default: the default app)")
        parser.add_argument(
            "--force",
            action="store_true",
            help="write everything anew, and mark as gone what WeCom no longer lists, however many that are",
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would change and write nothing")

    def handle(
        self, *args: Any, sync_type: str, app: str, force: bool = False, dry_run: bool = False, **options: Any
    ) -> None:
        config = config_for_slug(app)
        if config is None:
            raise CommandError(_("There is no such WeCom app, or it is disabled."))
        if dry_run:
            self._try_out(config, sync_type, force)
        else:
            self._run(config, sync_type, force)

    def _run(self, config: WeComConfig, sync_type: str, force: bool) -> None:
        try:
            run = runs.open_run(config, sync_type, force=force)
        except runs.AlreadyRunning as busy:
            raise CommandError(_("Run %(number)d is under way already.") % {"number": busy.run.pk}) from busy
        with self._bar(config, sync_type) as tell:
            run = runs.run(run, tell=tell)
        if run.status == DirectoryRunStatus.PENDING:
            later = date_format(timezone.localtime(run.not_before), "H:i:s")
            raise CommandError(_("%(reason)s A worker continues at %(time)s.") % {"reason": run.message, "time": later})
        if run.status == DirectoryRunStatus.FAILED:
            raise CommandError(run.message)
        self.stdout.write(run.message)
        if run.error_detail:
            self.stdout.write(self.style.WARNING(run.error_detail))

    def _try_out(self, config: WeComConfig, sync_type: str, force: bool) -> None:
        try:
            with self._bar(config, sync_type) as tell:
                difference = runs.dry_run(config, sync_type, tell=tell)
        except (WeComError, PutBack) as error:
            raise CommandError(str(error)) from error
        self._show(difference)
        if force:
            return  # as such a run: without the brake
        try:
            brake.check(difference)
        except brake.BrakeHeld as held:
            raise CommandError(held.sentence) from held

    def _show(self, difference: Difference) -> None:
        words = {"created": _("new"), "updated": _("changed"), "deleted": _("gone")}
        for part in difference.parts:
            self.stdout.write(f"{DirectoryType(part.kind).label}:")
            for change, word in words.items():
                count, names = getattr(part, change), part.examples[change]
                more = ", …" if count > len(names) else ""
                self.stdout.write(f"  {count} {word}" + (f": {', '.join(names)}{more}" if names else ""))
            self.stdout.write("  " + _("%(count)d unchanged") % {"count": part.unchanged})
            for reason in part.reasons:
                self.stdout.write(self.style.WARNING(f"  {reason}"))

    @contextmanager
    def _bar(self, config: WeComConfig, sync_type: str) -> Iterator[Tell]:
        """What it will take; then, on a terminal, a bar that moves with every call, elsewhere a line now and then."""
        expected = forecast(config, sync_type)
        self.stdout.write(_told(expected))
        if not sys.stderr.isatty():
            yield self._lines()
            return
        label = str(DirectoryType(sync_type).label)
        with bar_on_terminal(label) as show:
            yield lambda run: show(run.calls_done, run.calls_expected or 0)

    def _lines(self) -> Tell:
        told_at = time.monotonic()

        def tell(run: DirectorySyncRun) -> None:
            nonlocal told_at
            if time.monotonic() - told_at < TOLD_EVERY:
                return
            told_at = time.monotonic()
            values = {"done": run.calls_done, "expected": max(run.calls_expected or 0, run.calls_done)}
            self.stderr.write(
                _("%(done)d of %(expected)d calls, %(fetched)d entries read.") % {**values, "fetched": run.fetched}
            )

        return tell


def _told(expected: Forecast) -> str:
    sentence = ngettext(
        "About %(count)d call to WeCom, at least %(time)s.",
        "About %(count)d calls to WeCom, at least %(time)s.",
        expected.calls,
    )
    return sentence % {"count": expected.calls, "time": duration_words(expected.least)}
