"""Carrying out what is queued for WeCom: submissions, and messages about decisions taken here.

A handler talks to WeCom outside any transaction, then writes effect and "done" in one. Right before a call that
changes something at WeCom it marks its row with one conditional UPDATE, which at the same time proves that the row is
still this worker's: a worker that lost its lease stops there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals import engine, submission, telling
from approvals.cards.settle import settle
from approvals.models import ApprovalInstance, InstanceStatus, OperationKind, SyncOperation
from approvals.outbox import client_of, held, instance_of, require_held
from approvals.problems import SubmissionProblem
from config.draining import drain
from config.durable import LeaseLost, PermanentFailure, Status, TemporaryFailure
from wecom.client import WeComClient
from wecom.errors import OutcomeUnknown, PermanentError, WeComError
from wecom.oa import apply_event, get_approval_detail
from wecom.snapshots import BadSnapshot, RemoteApproval

logger = structlog.get_logger(__name__)

SENT_AT = "sent_at"
"""Entry of a submission's payload: from then on WeCom may have it."""
MAY_STILL_ARRIVE = timedelta(seconds=60)
"""After a call without an answer WeCom may still be working on it, and lists the form only when it is done. Until then
"not listed" proves nothing; a minute is many times what a slow call takes."""


def run_due() -> int:
    """Carry out every operation that is due; returns how many were attempted. For the worker."""
    return drain(SyncOperation, handle)


def handle(row: SyncOperation) -> None:
    """Carry out one operation. Raises what ``config.durable`` turns into the row's state."""
    row.error_code = None
    try:
        _HANDLERS[OperationKind(row.kind)](row)
    except WeComError as error:
        row.error_code = error.errcode
        raise


def _submit(row: SyncOperation) -> None:
    instance = instance_of(row)
    if instance.status == InstanceStatus.FAILED:  # the row was dead, and somebody pressed "Retry"
        instance.status = engine.resume_submission(instance=instance).status
    if instance.sp_no or instance.status not in (InstanceStatus.SUBMITTING, InstanceStatus.CANCELLED):
        return
    # Withdrawn here while it was on its way: whether it arrived decides if somebody has to withdraw it there.
    if SENT_AT in row.payload:
        if _adopt(row, instance):
            return
        _wait_for_arrival(row)
    if instance.status == InstanceStatus.SUBMITTING:
        try:
            _hand_over(row, instance)
        except PermanentFailure as error:
            _refused(row, instance, error)


def _adopt(row: SyncOperation, instance: ApprovalInstance) -> bool:
    """Take over what an earlier attempt has left at WeCom, if anything.

    When WeCom refuses the search itself, the row dies and the approval stays ``submitting``, because nobody knows
    whether it arrived: calling that a failure would invite a second submission.
    """
    client = client_of(instance)
    found = submission.find_submitted(client, instance)
    if found is None:
        return False
    logger.info("submission_found_at_wecom", approval=instance.third_no, sp_no=found.sp_no)
    _accepted(row, instance, found.sp_no)
    _learn(client, found.sp_no, found)
    return True


def _wait_for_arrival(row: SyncOperation) -> None:
    """Raise TemporaryFailure while what was sent may still turn up at WeCom."""
    rest = datetime.fromisoformat(row.payload[SENT_AT]) + MAY_STILL_ARRIVE - timezone.now()
    if rest > timedelta():
        sentence = _("Nothing to do: the system looks the approval up before it tries again.")
        raise TemporaryFailure(sentence, retry_after=rest.total_seconds())


def _hand_over(row: SyncOperation, instance: ApprovalInstance) -> None:
    client = client_of(instance)
    body = submission.body_of(instance)
    with _marked_as_sent(row):
        sp_no = apply_event(client, body)
    _accepted(row, instance, sp_no)
    _learn(client, sp_no)


@contextmanager
def _marked_as_sent(row: SyncOperation) -> Iterator[None]:
    """Write down that the call is about to be made, and take it back when the call has certainly done nothing.

    Raises LeaseLost when the row is another worker's by now.
    """
    before = row.payload
    _write_payload(row, {**before, SENT_AT: timezone.now().isoformat()})
    try:
        yield
    except OutcomeUnknown:
        raise
    except WeComError as error:
        if error.errcode != 0:  # 0: WeCom half-read what was sent, and may have acted on that half (doc 90664)
            _write_payload(row, before)
        raise


def _write_payload(row: SyncOperation, payload: dict[str, Any]) -> None:
    if not held(row).update(payload=payload):
        raise LeaseLost(row.key)
    row.payload = payload


def _accepted(row: SyncOperation, instance: ApprovalInstance, sp_no: str) -> None:
    with transaction.atomic():
        engine.submission_accepted(instance=instance, sp_no=sp_no)
        row.finish()


def _refused(row: SyncOperation, instance: ApprovalInstance, error: PermanentFailure) -> None:
    """The quote shows why and may be submitted again; the row is dead. One transaction, or none of it."""
    code = error.code if isinstance(error, SubmissionProblem) else ""
    if isinstance(error, PermanentError):
        row.error_code = error.errcode
        code = str(error.errcode or "")
        try:
            submission.explain_refusal(instance, error)
        except SubmissionProblem as problem:
            error, code = problem, problem.code
    with transaction.atomic():
        engine.submission_failed(instance=instance, code=code, message=str(error))
        row.fail(error)
        if row.status != Status.DEAD:
            raise LeaseLost(row.key)


def _learn(client: WeComClient, sp_no: str, known: RemoteApproval | None = None) -> None:
    """Read the accepted form once, so that the approvers of the template's own flow are known here.

    Best effort: the submission is done, and the next callback or comparison brings the same.
    """
    try:
        engine.apply_remote(known or get_approval_detail(client, sp_no, lane="notice"), source="reconcile")
    except (WeComError, BadSnapshot) as error:
        logger.info("accepted_form_not_read", sp_no=sp_no, error=repr(error))


def _tell(row: SyncOperation) -> None:
    instance = instance_of(row)
    client = client_of(instance)
    text = telling.text_of(instance, row)
    require_held(row)
    # repeating after a lost answer is safe: WeCom delivers the same message once within four hours
    not_reached = telling.send(client, row.payload["to"], text)
    with transaction.atomic():
        if not_reached:
            logger.warning("members_not_reached", approval=instance.third_no, members=not_reached)
            held(row).update(payload={**row.payload, "not_reached": not_reached})
        row.finish()


_HANDLERS: dict[OperationKind, Callable[[SyncOperation], None]] = {
    OperationKind.SUBMIT: _submit,
    OperationKind.TELL: _tell,
    OperationKind.CARDS: settle,
}
