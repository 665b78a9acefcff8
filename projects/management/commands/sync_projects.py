"""``manage.py sync_projects``: bring the mirror in line with the project libraries now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config.bars import bar_on_terminal
from projects.errors import AlreadyRunning, RemoteError
from projects.models import ProjectSyncHistory, RemoteSource, RunStatus, SyncType
from projects.sources import enabled_sources
from projects.sync import runs
from projects.sync.closing import brake_sentence
from projects.sync.passage import BrakeHeld, Tell


class Command(BaseCommand):
    help = (
        "Bring the mirror in line with the project libraries: all enabled ones, or that given with --source. Exit "
        "status 1 if a library failed, the brake held, or a run was under way already."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", metavar="SLUG", help="only this source, also when it is disabled")
        parser.add_argument(
            "--force", action="store_true", help="remove what the libraries no longer list, however many that are"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would change and write nothing")

    def handle(
        self, *args: Any, source: str | None = None, force: bool = False, dry_run: bool = False, **options: Any
    ) -> None:
        sources = self._sources(source)
        synchronise = self._try_out if dry_run else self._run
        done = [synchronise(one, force) for one in sources]
        if not all(done):
            raise CommandError(_("Not everything could be synchronised; what could be is done."))

    @staticmethod
    def _sources(slug: str | None) -> list[RemoteSource]:
        known = enabled_sources()
        if slug is not None:
            known = list(RemoteSource.objects.filter(slug=slug))
        if not known and slug is not None:
            slugs = ", ".join(RemoteSource.objects.values_list("slug", flat=True)) or _("none")
            raise CommandError(_("Unknown source “%(slug)s”. There are: %(slugs)s.") % {"slug": slug, "slugs": slugs})
        if not known:
            raise CommandError(_("There is no remote source. Set REMOTE_API_BASE_URL, or add one in admin."))
        return known

    def _run(self, source: RemoteSource, force: bool) -> bool:
        try:
            history = runs.open_run(source, sync_type=SyncType.MANUAL, force=force)
        except AlreadyRunning as busy:
            self._complain(source, _("Run %(number)d is under way already.") % {"number": busy.run.pk})
            return False
        with self._bar(source) as tell:
            history = runs.run(history, tell=tell)
        if history.status != RunStatus.SUCCESS:
            self._complain(source, history.message, history.error_detail)
            return False
        self._report(source, history)
        return True

    def _try_out(self, source: RemoteSource, force: bool) -> bool:
        try:
            with self._bar(source) as tell:
                history = runs.dry_run(source, force=force, tell=tell)
        except RemoteError as error:
            self._complain(source, str(error))
            return False
        except BrakeHeld as brake:
            self._complain(source, brake_sentence(brake))
            return False
        self._report(source, history)
        return True

    @contextmanager
    def _bar(self, source: RemoteSource) -> Iterator[Tell]:
        """On a terminal a bar that moves with every page; elsewhere nothing."""
        with bar_on_terminal(source.name) as show:
            yield lambda history: show(history.total_projects, history.announced or 0)

    def _report(self, source: RemoteSource, history: ProjectSyncHistory) -> None:
        self.stdout.write(f"{source.name}: {history.message}")
        if history.error_detail:
            self.stdout.write(self.style.WARNING(history.error_detail))

    def _complain(self, source: RemoteSource, *sentences: str) -> None:
        self.stderr.write(self.style.ERROR(f"{source.name}: " + "\n".join(filter(None, sentences))))
