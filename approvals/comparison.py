"""One run of comparing approvals with WeCom: what it has found so far, and how each single answer is taken in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from approvals import engine
from approvals.exceptions import NoInstance
from approvals.models import ApprovalInstance, InstanceStatus, Outcome
from wecom.budgets import Lane
from wecom.client import WeComClient
from wecom.errors import PermanentError, QuotaError, WeComError
from wecom.inbox import release_parked
from wecom.models import WeComConfig
from wecom.snapshots import BadSnapshot, RemoteApproval

logger = structlog.get_logger(__name__)
Result = TypeVar("Result")

MOST_FAILURES_IN_A_ROW = 5
"""After so many failed calls one app is left alone until the next run: WeCom is away, or refuses all of them."""
ABOUT_ONE_FORM = frozenset({301025, 301026})
"""Errors that say nothing about the next form: a few unreadable ones must not keep the others from being read."""
MOST_ERRORS_TOLD = 20


class GivenUp(Exception):
    """No further call of this app in this run."""


@dataclass(slots=True)
class Report:
    """``checked``: approvals whose state at WeCom is known now. ``applied``, ``conflicts``: those that brought news.
    ``adopted``: submissions found at WeCom that were not known to have arrived. ``released``: parked events made due.
    ``calls``: requests to WeCom. ``errors``: sentences, each once. ``skipped``: another run was under way."""

    checked: int = 0
    applied: int = 0
    adopted: int = 0
    conflicts: int = 0
    released: int = 0
    calls: int = 0
    errors: list[str] = field(default_factory=list)
    skipped: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class CountedClient(WeComClient):
    """A client whose calls the report counts."""

    def __init__(self, config: WeComConfig, report: Report) -> None:
        super().__init__(config)
        self._report = report

    def post(
        self, path: str, body: Mapping[str, Any], *, writes: bool = False, lane: Lane = "decision"
    ) -> dict[str, Any]:
        self._report.calls += 1
        return super().post(path, body, writes=writes, lane=lane)


class Comparison:
    """One run. Whatever fails is written down, and the run goes on with the rest."""

    def __init__(self, *, asked_for: bool = False, lane: Lane | None = None) -> None:
        """``asked_for``: a person pressed *sync now*; else the schedule did. ``lane``: how urgent its calls are, else
        as urgent as decisions for a person, who waits, and less so for the schedule."""
        self.lane: Lane = lane or ("decision" if asked_for else "bulk")
        self._source = "manual" if asked_for else "reconcile"
        self.report = Report()
        self.needs_a_person: list[PermanentError] = []
        self.failures: list[Exception] = []
        self._clients: dict[int, CountedClient] = {}
        self._failures: dict[int, int] = {}

    def client(self, config: WeComConfig) -> CountedClient:
        """The client of one app. Raises GivenUp when it has failed too often in this run, WeComError."""
        if self._failures.get(config.pk, 0) >= MOST_FAILURES_IN_A_ROW:
            raise GivenUp
        if config.pk not in self._clients:
            self._clients[config.pk] = CountedClient(config, self.report)
        return self._clients[config.pk]

    def attempt(
        self, config: WeComConfig, work: Callable[[CountedClient], Result], *, about: str = ""
    ) -> Result | None:
        """Do one piece of work with the app's client; returns its result, or None when it failed, which is noted.

        ``about``: the approval that the work is about, for the note.
        """
        try:
            result = work(self.client(config))
        except GivenUp:
            return None
        except Exception as error:  # noqa: BLE001 - one approval that cannot be taken in must not keep the others away
            self._failed(config, error, about)
            return None
        self._failures[config.pk] = 0
        return result

    def _failed(self, config: WeComConfig, error: Exception, about: str) -> None:
        self.failures.append(error)
        if isinstance(error, WeComError):
            self._note(str(error), about)
            self._refused(config, error)
        elif isinstance(error, BadSnapshot):
            self._note(_("WeCom's answer cannot be read: %(why)s") % {"why": error}, about)
        else:
            logger.error("comparison_failed", exc_info=error)
            self._note(f"{type(error).__name__}: {error}", about)

    def _refused(self, config: WeComConfig, error: WeComError) -> None:
        if isinstance(error, PermanentError):
            self.needs_a_person.append(error)
        if isinstance(error, QuotaError):
            self._failures[config.pk] = MOST_FAILURES_IN_A_ROW
        elif error.errcode not in ABOUT_ONE_FORM:
            self._failures[config.pk] = self._failures.get(config.pk, 0) + 1

    def _note(self, sentence: str, about: str) -> None:
        sentence = f"{about}: {sentence}" if about else sentence
        if sentence not in self.report.errors and len(self.report.errors) < MOST_ERRORS_TOLD:
            self.report.errors.append(sentence)

    def take_in(self, snapshot: RemoteApproval, config: WeComConfig) -> None:
        """Hand WeCom's word to the engine and count what came of it."""
        try:
            outcome = engine.apply_remote(snapshot, source=self._source, config_id=config.pk)
        except NoInstance:  # deleted here meanwhile; nothing to compare any more
            return
        self.report.checked += 1
        self.report.applied += outcome == Outcome.APPLIED
        self.report.conflicts += outcome == Outcome.CONFLICT

    def adopt(self, instance: ApprovalInstance, found: RemoteApproval) -> None:
        """A form at WeCom turned out to be the submission of ``instance``."""
        logger.info("submission_found_at_wecom", approval=instance.third_no, sp_no=found.sp_no)
        with transaction.atomic():
            status = ApprovalInstance.objects.values_list("status", flat=True).get(pk=instance.pk)
            if status != InstanceStatus.FAILED:  # a refusal that was none: the state at WeCom decides, see below
                engine.submission_accepted(instance=instance, sp_no=found.sp_no)
            engine.apply_remote(replace(found, third_no=instance.third_no), source="reconcile")
            self.report.released += release_parked([found.sp_no])
        self.report.adopted += 1
        self.report.checked += 1
