"""What became of a submission: WeCom took it, refused it for good, or is asked once more."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from approvals.actors import SYSTEM
from approvals.models import ApprovalInstance, Channel, InstanceStatus, Outcome, Quote
from approvals.record import await_wecom, controlled, lock, move, save, tell, write_entry
from wecom.inbox import release_parked


def submission_accepted(*, instance: ApprovalInstance, sp_no: str) -> ApprovalInstance:
    """WeCom took the submission (or it was found there after a lost answer). Repeating it changes nothing."""
    with transaction.atomic():
        instance = lock(instance)
        if instance.sp_no:
            return instance
        before = controlled(instance)
        instance.sp_no = sp_no
        instance.remote_status = instance.remote_status or "pending"
        instance.last_synced_at = timezone.now()
        if instance.status == InstanceStatus.SUBMITTING:
            move(instance, InstanceStatus.PENDING, channel=Channel.SYSTEM)
        await_wecom(instance, list(instance.steps.all()))
        save(instance, before=before)
        entry = write_entry(
            instance,
            actor=SYSTEM,
            action="submit",
            outcome=Outcome.APPLIED,
            from_status=before["status"],
            details={"sp_no": sp_no},
        )
        if instance.status == InstanceStatus.CANCELLED:  # withdrawn here while the submission was on its way
            tell(instance, actor=SYSTEM, entry=entry, to=[instance.applicant_userid], verb="withdraw")
        release_parked([sp_no, instance.third_no])
        return instance


def submission_failed(*, instance: ApprovalInstance, code: str, message: str) -> ApprovalInstance:
    """WeCom refused the submission for good. ``code``: its errcode, or a word of ours. It may be submitted again."""
    with transaction.atomic():
        instance = lock(instance)
        if instance.status != InstanceStatus.SUBMITTING:
            return instance
        before = controlled(instance)
        instance.error_code, instance.error_message = code, message
        instance.status = InstanceStatus.FAILED
        save(instance, before=before)
        write_entry(
            instance,
            actor=SYSTEM,
            action="submit",
            outcome=Outcome.FAILED,
            from_status=before["status"],
            comment=message,
            details={"errcode": code},
        )
        return instance


def resume_submission(*, instance: ApprovalInstance) -> ApprovalInstance:
    """Somebody removed the cause of a refusal and pressed *retry*: the submission is under way again.

    Nothing happens when the quote was revised or submitted anew meanwhile.
    """
    with transaction.atomic():
        instance = lock(instance)
        quote = Quote.objects.select_for_update().get(pk=instance.quote_id)
        newer = quote.approvals.filter(pk__gt=instance.pk).exists()
        if instance.status != InstanceStatus.FAILED or quote.revision != instance.revision or newer:
            return instance
        before = controlled(instance)
        instance.status = InstanceStatus.SUBMITTING
        instance.error_code = instance.error_message = ""
        save(instance, before=before)
        write_entry(instance, actor=SYSTEM, action="submit", outcome=Outcome.APPLIED, from_status=before["status"])
        return instance
