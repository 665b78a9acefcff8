"""Why the state here and the state in WeCom differ, in sentences for a person. Pure but for people's names, see
``approvals.truth``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from approvals.models import (
    ApprovalInstance,
    ApprovalStep,
    ApprovalTimeline,
    Channel,
    Flow,
    InstanceStatus,
    OperationKind,
    StepStatus,
    SyncOperation,
)
from approvals.operations import SENT_AT
from approvals.problems import explained
from approvals.transitions import FROM_REMOTE
from approvals.words import moment
from config.durable import Status
from wecom.directory import names_of
from wecom.snapshots import OA_STATUS

INFO, WARNING, DANGER = "info", "warning", "danger"
NO_DIFFERENCE = frozenset({"settled", "tell", "cards", "old_proof", "never_reached"})
"""Reasons that are worth telling although the two sides say the same, or were made to."""
NOTHING_TO_COMPARE = frozenset({"never_reached", "arrival_unknown"})
"""Reasons why there is no state of WeCom's that ours could equal or differ from."""
DECISIONS = frozenset({"approve", "reject", "withdraw"})
SLOW_START = timedelta(minutes=1)
"""A submission that no worker has touched for so long means that no worker runs; the sweep comes every 30 s."""
PROOF_GROWS_OLD = timedelta(minutes=30)
"""The comparison comes every two minutes, and over very many open approvals visits the oldest every few rounds."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause of a difference. ``code`` is stable; ``detail`` is raw text of WeCom's, for support."""

    code: str
    tone: str
    """``info``: it passes by itself. ``warning``: a person has to act. ``danger``: something is wrong."""
    sentence: str
    remedy: str = ""
    detail: str = ""


def reasons_of(
    instance: ApprovalInstance,
    *,
    steps: Sequence[ApprovalStep],
    operations: Sequence[SyncOperation],
    timeline: Sequence[ApprovalTimeline],
    now: datetime,
) -> list[Reason]:
    """Every reason for a difference that can be told from the rows, the weightiest first; empty when all is well."""
    if instance.flow == Flow.INTERNAL:
        return []
    if instance.status == InstanceStatus.SUBMITTING:
        return [_submitting(instance, operations, now)]
    if instance.status == InstanceStatus.FAILED:
        return [_failed(instance)]
    if _withdrawn_on_its_way(instance):
        return [_arrival(operations)]
    reasons = []
    if _unknown_code(instance):
        reasons.append(_unknown_status(instance))
    if instance.conflict:
        reasons.append(_conflict(instance, timeline))
    elif instance.remote_pending:
        reasons.append(_remote_pending(instance, steps))
    elif FROM_REMOTE.get(instance.remote_status) not in (None, instance.status):
        reasons.append(_settled(timeline) or _unexplained())
    if instance.last_synced_at is None and instance.status != InstanceStatus.CANCELLED:
        reasons.append(_never_proved())
    elif _open_at_wecom(instance) and now - (instance.last_synced_at or now) > PROOF_GROWS_OLD:
        reasons.append(_old_proof())
    return reasons


def remote_label(instance: ApprovalInstance) -> str:
    """WeCom's state in words; a number that nobody has documented is shown as it is."""
    if instance.flow == Flow.INTERNAL:
        return ""
    if _unknown_code(instance):
        return _("Status %(code)s, not known here") % {"code": instance.remote_status_code}
    if instance.remote_status == "paid":
        return _("Paid")
    if instance.remote_status in FROM_REMOTE:
        return str(FROM_REMOTE[instance.remote_status].label)
    return _("Not known yet")


def _unknown_code(instance: ApprovalInstance) -> bool:
    return instance.remote_status_code is not None and instance.remote_status_code not in OA_STATUS


def _open_at_wecom(instance: ApprovalInstance) -> bool:
    return instance.remote_pending or instance.status == InstanceStatus.PENDING


def _submitting(instance: ApprovalInstance, operations: Sequence[SyncOperation], now: datetime) -> Reason:
    operation = next((row for row in reversed(operations) if row.kind == OperationKind.SUBMIT), None)
    if operation is None:
        return _nothing_queued(instance)
    sentence, remedy = error_of(operation)
    values = {"attempt": operation.attempts, "next": moment(operation.next_attempt_at)}
    if operation.status == Status.DEAD:
        given_up = _("The submission was given up after %(attempt)d attempts.") % values
        press = remedy or _("Remove the cause, then press “Retry” at the operation.")
        return Reason("submitting", DANGER, f"{given_up} {sentence}".strip(), press, operation.last_error)
    if operation.status == Status.FAILED:
        again = _("Attempt %(attempt)d to submit it failed (the next one: %(next)s).") % values
        return Reason("submitting", WARNING, f"{again} {sentence}".strip(), remedy, operation.last_error)
    if operation.status == Status.RUNNING:
        return Reason(
            "submitting", INFO, _("A worker is handing the submission to WeCom (attempt %(attempt)d).") % values
        )
    if now - operation.created_at > SLOW_START:
        waited = _("The submission is waiting for a worker (since %(since)s).")
        return Reason(
            "submitting",
            WARNING,
            waited % {"since": moment(operation.created_at)},
            _("Check that a Celery worker is running (/health/ready says so)."),
        )
    return Reason("submitting", INFO, _("The submission is on its way to WeCom."))


def _withdrawn_on_its_way(instance: ApprovalInstance) -> bool:
    return instance.status == InstanceStatus.CANCELLED and not (instance.sp_no or instance.remote_status)


def _arrival(operations: Sequence[SyncOperation]) -> Reason:
    operation = next((row for row in reversed(operations) if row.kind == OperationKind.SUBMIT), None)
    # once it has succeeded, the system has looked for the form in WeCom and not found it
    sent = operation is not None and SENT_AT in operation.payload and operation.status != Status.SUCCEEDED
    if operation is None or not (sent or operation.status == Status.RUNNING):
        return Reason("never_reached", INFO, _("It never reached WeCom; nothing is open there."))
    sentence = _("It is not known whether it arrived.")
    if operation.status == Status.DEAD:
        remedy = _("Look the approval up in WeCom.")
        return Reason("arrival_unknown", WARNING, sentence, remedy, operation.last_error)
    return Reason("arrival_unknown", INFO, sentence, _("Nothing to do: the system looks it up in WeCom."))


def _nothing_queued(instance: ApprovalInstance) -> Reason:
    if instance.flow == Flow.WECOM_ENGINE:
        return Reason(
            "submitting",
            WARNING,
            _("WeCom has not reported an approval under this number. The applicant has to start it there."),
            _("The applicant opens the link in the message from WeCom; or withdraw, and submit in another flow."),
        )
    return Reason(
        "submitting",
        DANGER,
        _("No operation is queued that would hand the submission to WeCom."),
        _("Withdraw the approval and submit the quote again."),
    )


def error_of(operation: SyncOperation) -> tuple[str, str]:
    """Sentence and remedy for the operation's last error; two empty texts if it has none."""
    return explained(str(operation.error_code or ""), operation.last_error)


def _failed(instance: ApprovalInstance) -> Reason:
    code = instance.error_code
    why, remedy = explained(code, instance.error_message)
    if code.lstrip("-").isdigit():
        sentence = _("WeCom refused the submission: %(why)s") % {"why": why}
        return Reason("failed", DANGER, sentence, remedy, instance.error_message)
    sentence = _("The submission failed: %(why)s") % {"why": why}
    return Reason("failed", DANGER, sentence, remedy or _("Remove the cause, then submit the quote again."))


def _unknown_status(instance: ApprovalInstance) -> Reason:
    return Reason(
        "unknown_status",
        WARNING,
        _("WeCom reports the status number %(code)s, which is not known here. The state was left as it is.")
        % {"code": instance.remote_status_code},
        _("Look the approval up in WeCom."),
    )


def _remote_pending(instance: ApprovalInstance, steps: Sequence[ApprovalStep]) -> Reason:
    if instance.status == InstanceStatus.CANCELLED:
        sentence = _("It was withdrawn here. In WeCom %(who)s still has to press “撤销” (withdraw).")
        who = together(people([instance.applicant_userid], instance))
    elif instance.status == InstanceStatus.REJECTED:
        sentence = _("It was rejected here. In WeCom %(who)s still has to press “驳回” (reject).")
        who = _waited_for(steps, one_is_enough=True)
    elif instance.status == InstanceStatus.APPROVED:
        sentence = _("It was approved here. In WeCom %(who)s still has to press “同意” (agree).")
        who = _waited_for(steps)
    else:
        sentence = _("%(who)s agreed here and still has to press “同意” (agree) in WeCom.")
        who = together([step.name or step.userid for step in steps if step.decided_here])
    return Reason(
        "remote_pending",
        WARNING,
        sentence % {"who": who},
        _("WeCom lets no program decide there. They were told by message; as soon as they act, both sides agree."),
    )


def _waited_for(steps: Sequence[ApprovalStep], *, one_is_enough: bool = False) -> str:
    decided = [step for step in steps if step.decided_here]
    waiting = [step for step in steps if step.kind != "cc" and step.status == StepStatus.PENDING]
    chosen = decided or waiting if one_is_enough else decided + waiting
    return together([step.name or step.userid for step in chosen])


def people(userids: Sequence[str], instance: ApprovalInstance) -> list[str]:
    """Names in the place of userids, where they are known."""
    names = names_of(userids, config_id=instance.config_id)
    return [names.get(userid.casefold(), userid) for userid in userids]


def together(names: Sequence[str]) -> str:
    return _(", ").join(dict.fromkeys(filter(None, names))) or _("the approver")


def _conflict(instance: ApprovalInstance, timeline: Sequence[ApprovalTimeline]) -> Reason:
    ours = next((e for e in reversed(timeline) if e.action in DECISIONS and e.channel != Channel.WECOM), None)
    theirs = next((e for e in reversed(timeline) if e.outcome == "conflict"), None)
    kept = FROM_REMOTE.get(instance.remote_status) != instance.status
    here = _fact(_("Here: %(what)s."), str(InstanceStatus(ours.to_status).label) if ours else "", ours)
    there = _fact(_("In WeCom: %(what)s."), remote_label(instance), theirs)
    stands = _("Our decision stands for now.") if kept else _("WeCom's decision was taken over.")
    return Reason("conflict", DANGER, " ".join(filter(None, (here, there, stands))), _("Decide which one stands."))


def _fact(frame: str, state: str, entry: ApprovalTimeline | None) -> str:
    if entry is None:
        return frame % {"what": state} if state else ""
    where = _("%(state)s by %(who)s (%(channel)s, %(time)s)") % {
        "state": state,
        "who": entry.actor or _("somebody"),
        "channel": entry.get_channel_display(),
        "time": moment(entry.at),
    }
    return frame % {"what": where}


def _settled(timeline: Sequence[ApprovalTimeline]) -> Reason | None:
    entry = next((e for e in reversed(timeline) if e.action == "close_conflict"), None)
    if entry is None:
        return None
    sentence = _("%(who)s settled a conflict: our decision stands. Reason: %(reason)s")
    return Reason("settled", INFO, sentence % {"who": entry.actor, "reason": entry.comment})


def _unexplained() -> Reason:
    return Reason(
        "unexplained",
        DANGER,
        _("The two states do not match, and nothing recorded here explains it."),
        _("Press “Sync now”. If it stays, read the timeline below and look the approval up in WeCom."),
    )


def _never_proved() -> Reason:
    return Reason(
        "never_proved", WARNING, _("WeCom has never confirmed this state."), _("Press “Sync now” to ask WeCom.")
    )


def _old_proof() -> Reason:
    return Reason(
        "old_proof",
        WARNING,
        _("The regular comparison with WeCom has not confirmed this for a while."),
        _("Check that the schedule is on and that beat and a worker are running (/health/ready), or press “Sync now”."),
    )
