"""What the handlers of outbound operations share: the approval, its app's client, and the proof that a row is still
this worker's."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from approvals.models import ApprovalInstance, SyncOperation
from approvals.problems import SubmissionProblem
from config.durable import LeaseLost, Status, TemporaryFailure
from wecom.client import WeComClient, for_config

SWITCHED_OFF_RETRY = 300.0
"""Seconds after which an operation looks again whether its app is switched on."""


def instance_of(row: SyncOperation) -> ApprovalInstance:
    related = ApprovalInstance.objects.select_related("quote", "config", "template__config")
    return related.get(pk=row.instance_id)


def client_of(instance: ApprovalInstance) -> WeComClient:
    """Raises SubmissionProblem without an app, TemporaryFailure while it is switched off, and PermanentError when its
    secret cannot be opened."""
    config = instance.config
    if config is None:
        raise SubmissionProblem("config_missing", _("The approval belongs to no WeCom app. Submit the quote again."))
    if not config.enabled:
        raise TemporaryFailure(_("The WeCom app is switched off."), retry_after=SWITCHED_OFF_RETRY)
    return for_config(config)


def held(row: SyncOperation) -> QuerySet[Any]:
    """The row, if this worker still holds it."""
    return SyncOperation.objects.filter(pk=row.pk, status=Status.RUNNING, claim=row.claim)


def require_held(row: SyncOperation) -> None:
    """Right before a call that changes something at WeCom. Raises LeaseLost."""
    if not held(row).exists():
        raise LeaseLost(row.key)
