"""One passage through a library: every page is compared, then what the library no longer lists is looked for.

``Passage`` only looks, which is the dry run. ``AppliedPassage`` is the same with hooks that write. The counters
are those of the run's row, saved or not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from config.runs import ClaimLost, held
from projects.errors import BadProject, RemoteError
from projects.models import ProjectSyncHistory, RemoteSource, TimeDisplayConfig
from projects.parsing import Fetched, Reader
from projects.remote import Page, RemoteLibrary
from projects.sync.apply import apply_changed, apply_one
from projects.sync.compare import Difference, Refusal, compare
from projects.sync.confirming import confirmed_again, unconfirmed
from projects.sync.missing import Found, Seen, brake_holds, listed_copies, missing_copies, remove, still_there

MOST_REASONS = 50
"""Unusable projects whose reasons are kept; the others are counted."""
LONGEST_REASON = 300
WRITE_AT = 500
"""Changed projects that are written together, at least: a page that is all new, for what waits costs memory."""
WRITE_EVERY = 1.0
"""Seconds that something changed waits to be written, and that the progress is old, beyond the time of a page."""
SPARE = timedelta(seconds=30)
"""Of a lease, beyond what the slowest page may take: comparing and writing it."""

COUNTERS = (
    "announced",
    "pages_done",
    "total_projects",
    "created_count",
    "updated_count",
    "unchanged_count",
    "failed_count",
    "removed_count",
)
Tell = Callable[[ProjectSyncHistory], object]
"""Called after every page, for a progress bar."""


class BrakeHeld(Exception):
    """The run would remove more than it may without a person's word."""

    def __init__(self, missing: int, listed: int) -> None:
        super().__init__(f"{missing} of {listed}")
        self.missing, self.listed = missing, listed


class Passage:
    """``run`` is a started run (``started_at``, ``project_types``, ``first_page``); its counters are filled in."""

    def __init__(self, run: ProjectSyncHistory, *, tell: Tell | None = None) -> None:
        self.run = run
        self.source = run.source
        self.complete = False
        """Every project of the library was seen, and what is not among them is marked as gone."""
        self.next_page = run.first_page
        self._tell = tell or (lambda _run: None)
        self._library = RemoteLibrary(run.source)
        self._reader = Reader(run.source)
        self._types = tuple(run.project_types)
        self._seen = Seen()
        self._since = run.started_at or timezone.now()
        self._nameless = 0
        self._reasons: list[Refusal] = []

    def go(self) -> None:
        """Raises RemoteError, BrakeHeld; what was written until then stays."""
        if not self._types:
            return
        listed = listed_copies(self.source, self._types).count()
        try:
            for page in self._library.pages(self._types, first_page=self.run.first_page):
                self._take(page)
        except RemoteError:
            self._write()  # what came before the library failed
            raise
        self._write()
        if self._nameless:  # it could be any: nobody can tell what is missing
            return
        if len(self._seen) < listed:
            self._take_away(listed)
        self.complete = True

    @property
    def reasons(self) -> str:
        """Why projects could not be used, one a line."""
        nameless = _("No ID")
        lines = [f"{remote_id or nameless}: {reason}"[:LONGEST_REASON] for remote_id, reason in self._reasons]
        if (more := self.run.failed_count - len(lines)) > 0:
            lines.append(_("… and %(count)d more.") % {"count": more})
        return "\n".join(lines)

    def _take(self, page: Page) -> None:
        run, difference = self.run, compare(self._reader, self.source.pk, page, self._types)
        if page.announced is not None:
            run.announced = page.announced
        run.pages_done += 1
        run.unchanged_count += difference.unchanged
        run.created_count += len(difference.new)
        run.updated_count += len(difference.new) + len(difference.changed)
        run.total_projects += (
            difference.unchanged + len(difference.new) + len(difference.changed) + len(difference.refused)
        )
        self._refuse(difference.refused)
        self._seen.add(difference.present)
        self._keep(difference, page.number + 1)
        self._tell(run)

    def _refuse(self, refused: Sequence[Refusal]) -> None:
        self.run.failed_count += len(refused)
        self._nameless += sum(not refusal.remote_id for refusal in refused)
        self._reasons += refused[: MOST_REASONS - len(self._reasons)]

    def _take_away(self, listed: int) -> None:
        missing = missing_copies(self.source, self._types, self._seen, self._since)
        percent = self.source.most_removed_percent
        if not self.run.force and brake_holds(listed=listed, missing=len(missing), percent=percent):
            raise BrakeHeld(len(missing), listed)
        found = still_there(self._library, missing, self._show_life)
        there = {one.pk for one in found}
        self._remove([key for key in missing if key not in there], found)
        self._tell(self.run)

    # What only looks, and what AppliedPassage does instead:

    def _keep(self, difference: Difference, next_page: int) -> None:
        """Keep what is to be written; the next page to read is ``next_page``."""

    def _write(self) -> None:
        """Write what was kept."""

    def _show_life(self) -> None:
        """Something is about to be waited for."""

    def _remove(self, keys: Sequence[int], found: Sequence[Found]) -> None:
        del found
        self.run.removed_count = len(keys)


class AppliedPassage(Passage):
    """Writes what it finds, page by page, together with the run's progress.

    Pages on which hardly anything has changed share a transaction, for WRITE_EVERY seconds at most: with 1 % changed
    the writing would cost more than the looking.
    """

    def __init__(self, run: ProjectSyncHistory, *, tell: Tell | None = None) -> None:
        super().__init__(run, tell=tell)
        self.display = TimeDisplayConfig.load()
        self._new: dict[str, Fetched] = {}
        self._changed: dict[str, Fetched] = {}
        self._usable_again: list[int] = []
        self._unusable: list[int] = []
        self._read_to = run.first_page
        self._written_at = time.monotonic()

    def _keep(self, difference: Difference, next_page: int) -> None:
        self._merge(difference.new, self._new)
        self._merge(difference.changed, self._changed)
        self._usable_again += difference.usable_again
        self._unusable += difference.unusable
        self._read_to = next_page
        enough = sum(map(len, (self._new, self._changed, self._usable_again, self._unusable))) >= WRITE_AT
        if enough or time.monotonic() - self._written_at > WRITE_EVERY:
            self._write()

    def _merge(self, fetched: Sequence[Fetched], kept: dict[str, Fetched]) -> None:
        """Pages shift while they are read, so that one project may come twice: the later one counts."""
        before = len(kept)
        kept.update((one.project.remote_id, one) for one in fetched)
        twice = before + len(fetched) - len(kept)
        self.run.created_count -= twice if kept is self._new else 0
        self._were_unchanged(twice)

    def _were_unchanged(self, count: int) -> None:
        self.run.updated_count -= count
        self.run.unchanged_count += count

    def _write(self) -> None:
        with transaction.atomic():
            if self._new or self._changed:
                self._were_unchanged(
                    apply_changed(
                        self.source,
                        list(self._new.values()),
                        list(self._changed.values()),
                        display=self.display,
                        run=self.run,
                    )
                )
            confirmed_again(self._usable_again)
            unconfirmed(self._unusable, since=self._since)
            self._save_progress()
        for kept in (self._new, self._changed, self._usable_again, self._unusable):
            kept.clear()
        self.next_page, self._written_at = self._read_to, time.monotonic()

    def _show_life(self) -> None:
        self._save_progress()

    def _remove(self, keys: Sequence[int], found: Sequence[Found]) -> None:
        """Those that were found are written instead: their type may be another one now."""
        for one in found:
            try:
                apply_one(self.source, one.item, now=one.asked_at)
            except BadProject as error:
                self._refuse([Refusal(self._reader.id_of(one.item), str(error))])
                self._unusable.append(one.pk)
        with transaction.atomic():
            unconfirmed(self._unusable, since=self._since)
            self.run.removed_count = remove(keys, since=self._since, now=timezone.now())
            self._save_progress()

    def _save_progress(self) -> None:
        """Also the sign of life. Raises ClaimLost when the run is no longer ours."""
        run = self.run
        progress = {name: getattr(run, name) for name in COUNTERS}
        if not held(run).update(**progress, alive_until=timezone.now() + lease(run.source)):
            raise ClaimLost(run.pk)


def lease(source: RemoteSource) -> timedelta:
    """How long a run may be silent: the slowest page, and time to write it."""
    return timedelta(seconds=source.connect_timeout + source.read_timeout) + SPARE
