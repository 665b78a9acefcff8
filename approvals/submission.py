"""Handing one approval to WeCom, and finding it there when nobody knows whether it arrived.

``oa/applyevent`` has no idempotency key. What makes a submission happen once: before the call the operation's row
says that it was sent; whoever repeats a row that says so looks the approval up first.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals import form, mapping
from approvals.chain import everybody, read
from approvals.models import ApprovalInstance, ApprovalTemplate
from approvals.problems import SubmissionProblem
from wecom.client import WeComClient
from wecom.errors import PermanentError, WeComError
from wecom.oa import get_approval_detail, list_approval_numbers
from wecom.snapshots import RemoteApproval

logger = structlog.get_logger(__name__)

CLOCK_DIFFERENCE = timedelta(minutes=10)
"""How far WeCom's clock and ours may be apart: the search window is wider by it on both sides."""
FORM_WRONG = 301025


def body_of(instance: ApprovalInstance) -> dict[str, Any]:
    """The body of ``oa/applyevent`` for ``instance``.

    Reads the template if it was never read, and keeps the suggested mapping if there is none. Raises
    SubmissionProblem, ``wecom.errors.WeComError``.
    """
    template = _template(instance)
    return form.build(instance, mapping.ready_detail(template), template.mapping)


def _template(instance: ApprovalInstance) -> ApprovalTemplate:
    if instance.template is None:
        raise SubmissionProblem("template_missing", _("The approval names no template. Submit the quote again."))
    return instance.template


def explain_refusal(instance: ApprovalInstance, error: PermanentError) -> None:
    """WeCom refused the form: read the template again, so that page and next attempt show what changed there.

    Raises SubmissionProblem with the reason when the template no longer fits the mapping; where it fits, and approvers
    were named, these are what is left to be wrong. Else nothing.
    """
    if error.errcode != FORM_WRONG:
        return
    template = _template(instance)
    try:
        detail = mapping.refresh(template)
    except WeComError as second:
        logger.info("template_not_read", template=template.template_id, error=repr(second))
        return
    wrong = mapping.problems(template.mapping, detail)
    if wrong:
        raise SubmissionProblem("mapping_wrong", " ".join(wrong)) from error
    if instance.chain:
        sentence = _(
            "WeCom refused the form although the template fits. Check that these members exist and are in the app's "
            "visible scope: %(userids)s"
        )
        raise SubmissionProblem(
            "approvers_wrong", sentence % {"userids": ", ".join(everybody(read(instance.chain)))}
        ) from error


def find_submitted(client: WeComClient, instance: ApprovalInstance) -> RemoteApproval | None:
    """The approval at WeCom that carries our number, or None.

    Searches by creator, template and time of submission (doc 91816) and reads each form that belongs to no other
    approval here. Raises ``wecom.errors.WeComError``.
    """
    template = _template(instance)
    numbers = list(
        list_approval_numbers(
            client,
            start=(instance.submitted_at - CLOCK_DIFFERENCE).replace(microsecond=0),
            end=timezone.now() + CLOCK_DIFFERENCE,
            filters={"template_id": template.template_id, "creator": instance.applicant_userid},
            lane="decision",
        )
    )
    others = set(
        ApprovalInstance.objects.filter(sp_no__in=numbers, corp_id=instance.corp_id).values_list("sp_no", flat=True)
    )
    for number in reversed(numbers):  # the one that was just submitted is among the last
        if number in others:
            continue
        found = get_approval_detail(client, number, lane="decision")
        if carries(found, instance):
            return found
    return None


def carries(remote: RemoteApproval, instance: ApprovalInstance) -> bool:
    """Whether the form is the one of ``instance``: its control, or any control if the mapping has changed since, holds
    our number."""
    control = instance.template.mapping.get("third_no", "") if instance.template else ""
    if control in remote.form:
        return remote.form[control] == instance.third_no
    return instance.third_no in remote.form.values()
