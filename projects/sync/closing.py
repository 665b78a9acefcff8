"""How runs end: their last status, a sentence for a person, where the next one begins, and who is alerted.

Whoever closes a run holds its claim, or has seen that its lease is over; otherwise nothing is written.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from config.runs import close
from config.sentences import in_a_row
from config.wakeup import wake
from notifications.alert_rules import SYNC_BRAKE, SYNC_FAILED
from notifications.incidents import raise_incident, resolve_incident
from notifications.phrases import Phrase, Said
from projects.models import ProjectSyncHistory, RemoteSource, RunStatus, TimeDisplayConfig
from projects.sync.confirming import covers, leave_out_others
from projects.sync.passage import COUNTERS, AppliedPassage, BrakeHeld

logger = structlog.get_logger(__name__)

REWRITE_TASK = "projects.rewrite_documents"


def close_done(history: ProjectSyncHistory, passage: AppliedPassage) -> None:
    source = history.source
    with transaction.atomic():
        if not _close(history, RunStatus.SUCCESS, summary(history), passage.reasons):
            return
        changes: dict[str, Any] = {"resume_page": 1}
        if passage.complete and covers(history):
            changes["confirmed_at"] = history.started_at
            leave_out_others(history)
        RemoteSource.objects.filter(pk=source.pk).update(**changes)
        for name, value in changes.items():
            setattr(source, name, value)
        resolve_incident(SYNC_FAILED + source.slug)
        if passage.complete:
            resolve_incident(SYNC_BRAKE + source.slug)
    if TimeDisplayConfig.load().version != passage.display.version:
        wake(REWRITE_TASK)


def summary(history: ProjectSyncHistory) -> str:
    if not history.project_types:
        return _("Nothing to do: the source has none of the chosen project types.")
    sentence = _("%(updated)d written (%(created)d of them new), %(unchanged)d unchanged, %(removed)d gone.") % {
        "updated": history.updated_count,
        "created": history.created_count,
        "unchanged": history.unchanged_count,
        "removed": history.removed_count,
    }
    if history.failed_count:
        unusable = ngettext(
            "%(count)d project could not be used; the reason stands below.",
            "%(count)d projects could not be used; the reasons stand below.",
            history.failed_count,
        )
        return in_a_row(sentence, unusable % {"count": history.failed_count})
    return sentence


def close_broken(history: ProjectSyncHistory, passage: AppliedPassage, sentence: str, remedy: str) -> None:
    history.refresh_from_db(fields=COUNTERS)  # the page that failed was counted, and then rolled back
    source, status = history.source, RunStatus.PARTIAL if history.pages_done else RunStatus.FAILED
    with transaction.atomic():
        if _close(history, status, in_a_row(sentence, remedy), passage.reasons):
            _resume_at(source, passage.next_page)
            _tell_failed(source, sentence, remedy)


def _tell_failed(source: RemoteSource, detail: Said, remedy: Said) -> None:
    title = Phrase(gettext_noop("Projects cannot be synchronised: %(source)s"), source=source)
    raise_incident(SYNC_FAILED + source.slug, title=title, detail=detail, remedy=remedy)


def close_braked(history: ProjectSyncHistory, passage: AppliedPassage, brake: BrakeHeld) -> None:
    source, sentence = history.source, brake_sentence(brake)
    with transaction.atomic():
        if _close(history, RunStatus.FAILED, sentence, passage.reasons):
            _resume_at(source, 1)
            raise_incident(
                SYNC_BRAKE + source.slug,
                title=Phrase(gettext_noop("The brake held a synchronisation: %(source)s"), source=source),
                detail=sentence,
                remedy=Phrase(
                    gettext_noop(
                        "Compare the library with the list of projects. If they are really gone, start a forced run."
                    )
                ),
            )


def close_dead_run(history: ProjectSyncHistory) -> int:
    source, status = history.source, RunStatus.PARTIAL if history.pages_done else RunStatus.FAILED
    sentence = Phrase(
        gettext_noop("The worker of this run ended in the middle; the next run continues where it stopped.")
    )
    with transaction.atomic():
        if not _close(history, status, str(sentence), history.error_detail, only=Q(alive_until=history.alive_until)):
            return 0
        _resume_at(source, _page_after(history))
        _tell_failed(source, sentence, Phrase(gettext_noop("The log tells more.")))
    logger.warning("sync_closed_dead", run=history.pk, source=history.source.slug)
    return 1


def _page_after(history: ProjectSyncHistory) -> int:
    """Where a run without a worker had come to. A page too far costs nothing: the next run wraps round."""
    page = history.first_page + history.pages_done
    last = -(-(history.announced or 0) // history.source.page_size)
    return page - last if page > last > 0 else page


def _resume_at(source: RemoteSource, page: int) -> None:
    RemoteSource.objects.filter(pk=source.pk).update(resume_page=max(1, page))
    source.resume_page = max(1, page)


def _close(history: ProjectSyncHistory, status: RunStatus, message: str, detail: str, *, only: Q | None = None) -> bool:
    return close(history, status, only=only, message=message[:500], error_detail=detail)


def brake_sentence(brake: BrakeHeld) -> str:
    return _(
        "The library no longer lists %(missing)d of %(listed)d projects; nothing was removed. If that is right, start "
        "a forced synchronisation."
    ) % {"missing": brake.missing, "listed": brake.listed}
