"""The admin's first page: what waits for this person, and what needs somebody. A few small queries, by role."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import PeriodicTask

from approvals.actors import Actor
from approvals.models import ApprovalInstance, Channel, Quote, SyncOperation
from approvals.sync_request import TASK
from approvals.turns import waiting_for
from approvals.visibility import visible_to
from approvals.words import STATUS_TONES
from config.dashboard import Kind, cards, panels, register_cards
from config.durable import Status
from wecom.directory import member_of
from wecom.models import CallbackEvent

LISTED = 8


def _approvals(user: Any) -> QuerySet[ApprovalInstance]:
    return visible_to(user, ApprovalInstance.objects.all())


register_cards(
    Kind(
        label=_("Conflicts"),
        permission="approvals.view_approvalinstance",
        rows=lambda user: _approvals(user).filter(conflict=True),
        changelist="approvals_approvalinstance",
        query="conflict__exact=1",
        icon="balance",
        tone="danger",
    ),
    Kind(
        label=_("Open in WeCom"),
        permission="approvals.view_approvalinstance",
        rows=lambda user: _approvals(user).filter(remote_pending=True),
        changelist="approvals_approvalinstance",
        query="remote_pending__exact=1",
        icon="hourglass",
        tone="warning",
    ),
    Kind(
        label=_("Dead operations"),
        permission="approvals.view_syncoperation",
        rows=lambda _user: SyncOperation.objects.filter(status=Status.DEAD),
        changelist="approvals_syncoperation",
        query="status__exact=dead",
        icon="outbox",
        tone="danger",
    ),
    Kind(
        label=_("Parked events"),
        permission="wecom.view_callbackevent",
        rows=lambda _user: CallbackEvent.objects.filter(parked_at__isnull=False, status=Status.FAILED),
        changelist="wecom_callbackevent",
        query="whereabouts=parked",
        icon="pause_circle",
        tone="warning",
    ),
    Kind(
        label=_("Dead events"),
        permission="wecom.view_callbackevent",
        rows=lambda _user: CallbackEvent.objects.filter(status=Status.DEAD),
        changelist="wecom_callbackevent",
        query="whereabouts=dead",
        icon="inbox",
        tone="danger",
    ),
    place=10,
)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """UNFOLD's DASHBOARD_CALLBACK: adds ``cards``, ``panels``, ``waiting``, ``own_quotes`` and ``comparison``."""
    may = request.user.has_perm
    if may("approvals.view_approvalinstance"):
        context["waiting"] = _waiting_for(request.user)
    if may("approvals.add_quote"):
        own = Quote.objects.filter(owner_id=request.user.pk).order_by("-updated_at")[:LISTED]
        context["own_quotes"] = [(quote, STATUS_TONES[quote.approval_status]) for quote in own]
        context["add_quote_url"] = reverse("admin:approvals_quote_add")
    if may("approvals.sync_approval"):
        schedule = PeriodicTask.objects.filter(task=TASK)
        context["comparison"] = schedule.values("enabled", "last_run_at").first()
    context["cards"] = cards(request)
    context["panels"] = panels(request)
    return context


def _waiting_for(user: Any) -> list[ApprovalInstance]:
    """Approvals in which it is this person's turn, the oldest first."""
    member = member_of(user)
    if member is None:
        return []
    actor = Actor(Channel.INTERNAL, user=user, userid=member.userid, corp_id=member.config.corp_id)
    return waiting_for(member, lambda _instance: actor, ApprovalInstance.objects.defer("snapshot"), most=LISTED)
