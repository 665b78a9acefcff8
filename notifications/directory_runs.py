"""Runs of the directory that fail, that the brake has held, or that could not read all become incidents; a run that
passes ends them."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.utils.translation import gettext_noop

from notifications.incidents import raise_incident, resolve_incident
from notifications.phrases import Phrase
from wecom.models import DirectorySyncRun, DirectoryType
from wecom.signals import directory_run_ended

FAILED, BRAKE, PARTIAL = "directory-failed", "directory-brake", "directory-partial"
WORDS = {"failed": FAILED, "braked": BRAKE, "partial": PARTIAL}
TITLES = {
    FAILED: gettext_noop("The directory cannot be read from WeCom: %(app)s"),
    BRAKE: gettext_noop("The brake held a synchronisation of the directory: %(app)s"),
    PARTIAL: gettext_noop("Some members' customers cannot be read from WeCom: %(app)s"),
}
REMEDIES = {
    FAILED: gettext_noop("Remove the cause that the run names, then start it again. The directory stays as it was."),
    BRAKE: gettext_noop(
        "Compare the app's visible scope in WeCom with the directory here. If so many are really gone, start a forced "
        "run."
    ),
    PARTIAL: gettext_noop(
        "The run names the members and the reasons. Their customers stay as they were; everything else is current."
    ),
}


@receiver(directory_run_ended, dispatch_uid="notifications.tell_directory_run")
def tell_directory_run(run: DirectorySyncRun, outcome: str, **_kwargs: Any) -> None:
    if outcome in ("done", "partial"):  # what was read is applied
        for word in (FAILED, BRAKE) if outcome == "partial" else WORDS.values():
            for sync_type in _covered(run):
                resolve_incident(_key(word, run, sync_type))
    if outcome == "done":
        return
    word = WORDS[outcome]
    raise_incident(
        _key(word, run, DirectoryType.CUSTOMER if word == PARTIAL else run.sync_type),
        title=Phrase(TITLES[word], app=run.config.name),
        detail=run.error_detail if outcome == "partial" else run.message,
        remedy=Phrase(REMEDIES[word]),
    )


def _covered(run: DirectorySyncRun) -> list[str]:
    """A run over everything also proves that each of its types works."""
    return DirectoryType.values if run.sync_type == DirectoryType.FULL else [run.sync_type]


def _key(word: str, run: DirectorySyncRun, sync_type: str) -> str:
    return f"{word}:{run.config.slug}:{sync_type}"
