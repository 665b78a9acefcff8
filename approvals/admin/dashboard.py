"""The admin's first page: what waits for this person, and what needs somebody. A few small queries, by role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import PeriodicTask

from approvals.admin.verbs import acting
from approvals.admin.words import STATUS_TONES
from approvals.sync_request import TASK
from approvals.models import ApprovalInstance, ApprovalStep, InstanceStatus, Quote, StepStatus, SyncOperation
from approvals.steps import belongs_to, open_steps
from approvals.visibility import visible_to
from config.durable import Status
from notifications.models import Incident
from wecom.models import CallbackEvent

LISTED = 8
COUNTED = 1000
"""Counting stops here: a card says "1000+", and the page stays quick however much has piled up."""


@dataclass(frozen=True, slots=True)
class Card:
    """One number with a way to its list. ``tone`` colours it while it is not zero."""

    label: str | Promise
    count: int
    url: str
    icon: str
    tone: str

    @property
    def shown(self) -> str:
        return f"{COUNTED}+" if self.count > COUNTED else str(self.count)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """UNFOLD's DASHBOARD_CALLBACK: adds ``cards``, ``waiting``, ``own_quotes`` and ``comparison``."""
    may = request.user.has_perm
    if may("approvals.view_approvalinstance"):
        context["waiting"] = _waiting_for(request)
    if may("approvals.add_quote"):
        own = Quote.objects.filter(owner=request.user).order_by("-updated_at")[:LISTED]
        context["own_quotes"] = [(quote, STATUS_TONES.get(quote.approval_status, "default")) for quote in own]
        context["add_quote_url"] = reverse("admin:approvals_quote_add")
    if may("approvals.sync_approval"):
        schedule = PeriodicTask.objects.filter(task=TASK)
        context["comparison"] = schedule.values("enabled", "last_run_at").first()
    context["cards"] = _cards(request)
    return context


def _waiting_for(request: HttpRequest) -> list[ApprovalInstance]:
    """Approvals in which it is this person's turn, the oldest first."""
    actor = acting(request)
    if not actor.userid or not actor.may("approvals.decide_approval"):
        return []
    mine = ApprovalStep.objects.filter(status=StepStatus.PENDING, instance__status=InstanceStatus.PENDING)
    addressed = mine.filter(userid__iexact=actor.userid) | mine.filter(delegated_to__iexact=actor.userid)
    rows = ApprovalInstance.objects.filter(pk__in=addressed.values("instance")).exclude(applicant=actor.user)
    candidates = rows.select_related("quote", "applicant").prefetch_related("steps").order_by("submitted_at")
    turns = [
        instance
        for instance in candidates[:COUNTED]
        if any(belongs_to(step, actor.userid) for step in open_steps(instance.steps.all()))
    ]
    return turns[:LISTED]


def _cards(request: HttpRequest) -> list[Card]:
    may = request.user.has_perm
    cards = []
    if may("approvals.view_approvalinstance"):
        approvals = visible_to(request.user, ApprovalInstance.objects.all())
        cards += [
            _approvals_card(_("Conflicts"), approvals.filter(conflict=True), "conflict__exact=1", "balance", "danger"),
            _approvals_card(
                _("Open in WeCom"), approvals.filter(remote_pending=True), "remote_pending__exact=1", "hourglass", "warning"
            ),
        ]
    if may("approvals.view_syncoperation"):
        dead = SyncOperation.objects.filter(status=Status.DEAD)
        cards.append(_card(_("Dead operations"), dead, "approvals_syncoperation", "status__exact=dead", "outbox", "danger"))
    if may("wecom.view_callbackevent"):
        events = CallbackEvent.objects.all()
        parked = events.filter(parked_at__isnull=False, status=Status.FAILED)
        dead = events.filter(status=Status.DEAD)
        cards += [
            _card(_("Parked events"), parked, "wecom_callbackevent", "whereabouts=parked", "pause_circle", "warning"),
            _card(_("Dead events"), dead, "wecom_callbackevent", "whereabouts=dead", "inbox", "danger"),
        ]
    if may("notifications.view_incident"):
        incidents = Incident.objects.filter(resolved_at__isnull=True)
        cards.append(
            _card(_("Open incidents"), incidents, "notifications_incident", "state=open", "warning", "danger")
        )
    return cards


def _approvals_card(label: Any, rows: QuerySet[Any], query: str, icon: str, tone: str) -> Card:
    return _card(label, rows, "approvals_approvalinstance", query, icon, tone)


def _card(label: Any, rows: QuerySet[Any], changelist: str, query: str, icon: str, tone: str) -> Card:
    count = rows.order_by().values("pk")[: COUNTED + 1].count()
    return Card(label, count, f"{reverse(f'admin:{changelist}_changelist')}?{query}", icon, tone if count else "quiet")
