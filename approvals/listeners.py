"""Hearing what WeCom announced: callbacks go through the same door as polled answers."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.utils.translation import gettext as _

from approvals import engine
from approvals.exceptions import NoInstance
from approvals.models import ApprovalTemplate
from wecom.inbox import IGNORED, Park
from wecom.models import CallbackEvent, WeComConfig
from wecom.signals import approval_changed
from wecom.snapshots import RemoteApproval


@receiver(approval_changed, dispatch_uid="approvals.take_in")
def take_in(snapshot: RemoteApproval, event: CallbackEvent, **_kwargs: Any) -> str:
    """Apply the event; the returned word becomes the outcome on its row. Raises Park for an unknown approval."""
    try:
        return str(engine.apply_remote(snapshot, source="callback", event_id=event.key, config_id=event.config_id))
    except NoInstance:
        if _is_somebody_elses(snapshot):
            return IGNORED
    number = snapshot.third_no or snapshot.sp_no
    raise Park(_("No approval here has the number %(number)s yet.") % {"number": number})


def _is_somebody_elses(snapshot: RemoteApproval) -> bool:
    """A form of a template that we never submit with (leave, expenses …) can never become ours: nothing to wait for.

    A template is in the table before its first submission, so nothing of ours is missed.
    """
    if snapshot.kind != "oa" or not snapshot.template_id:
        return False
    ours = set(ApprovalTemplate.objects.values_list("template_id", flat=True))
    ours |= set(WeComConfig.objects.exclude(template_id="").values_list("template_id", flat=True))
    return bool(ours) and snapshot.template_id not in ours
