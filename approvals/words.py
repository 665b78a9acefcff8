"""States of approvals and of the places in them, as every page shows them: labels, colours and times."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime

from approvals.models import InstanceStatus, StepStatus
from config.tones import Tones

STATUS_TONES = Tones(
    {
        InstanceStatus.SUBMITTING.value: "info",
        InstanceStatus.PENDING.value: "warning",
        InstanceStatus.APPROVED.value: "success",
        InstanceStatus.REJECTED.value: "danger",
        InstanceStatus.REVOKED.value: "danger",
        InstanceStatus.DELETED.value: "danger",
        InstanceStatus.FAILED.value: "danger",
    }
)
REMOTE_TONES = Tones(STATUS_TONES, paid="success")
"""Of WeCom's own states, as ``ApprovalInstance.remote_status`` names them."""
STEP_TONES = Tones(
    {
        StepStatus.APPROVED.value: "success",
        StepStatus.HANDLED.value: "success",
        StepStatus.REJECTED.value: "danger",
    }
)
"""Of places that have been decided."""


def status_label(status: str) -> str:
    """Label of a status of ours; one that nobody has foreseen is shown as it is."""
    return str(InstanceStatus(status).label) if status in InstanceStatus else status


def moment(at: datetime) -> str:
    return date_format(localtime(at), "DATETIME_FORMAT")
