"""What a person can do to a run that waits."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from config.runs import PENDING
from config.verbs import Refused, Verb
from wecom.directory_sync import waiting
from wecom.models import DirectorySyncRun

SYNC: Final = "wecom.sync_directory"
TAKEN = _("It does not wait any more: a worker has taken it, or it was given up.")


def _run_now(_request: HttpRequest, run: DirectorySyncRun, _data: dict[str, Any]) -> None:
    if not waiting.run_now(run):
        raise Refused(TAKEN)


def _give_up(request: HttpRequest, run: DirectorySyncRun, _data: dict[str, Any]) -> None:
    if not waiting.give_up(run, request.user.get_username()):
        raise Refused(TAKEN)


RUN_NOW = Verb(
    name="run-now",
    label=_("Run now"),
    question=_("Try now, without waiting for its time? If WeCom still wants to be left alone, it waits again."),
    done=_("will run as soon as a worker takes it."),
    run=_run_now,
    fits=lambda _request, run: run.status == PENDING and run.not_before > timezone.now(),
    permissions=(SYNC,),
    icon="play_arrow",
)
GIVE_UP = Verb(
    name="give-up",
    label=_("Give up"),
    question=_("Give up this run? Nothing was changed by it, and another one can be started."),
    done=_("was given up."),
    run=_give_up,
    fits=lambda _request, run: run.status == PENDING,
    permissions=(SYNC,),
    icon="cancel",
    variant=ActionVariant.DANGER,
)
