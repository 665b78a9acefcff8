"""The directory's synchronisation over REST: start, watch, look back."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest_answers import FORBIDDEN, INVALID, READING, READING_ONE, WRITING, answers, refusal
from config.rest_views import ClosedApi, WrongState
from config.runs import OPEN
from wecom.api import sync_examples as examples
from wecom.api.sync_serializers import (
    DirectorySyncForceSerializer,
    DirectorySyncRequestSerializer,
    DirectorySyncStartedSerializer,
    SyncLogSerializer,
    SyncLogsQuerySerializer,
    SyncLogsSerializer,
    SyncProgressSerializer,
    SyncStatusQuerySerializer,
    SyncStatusSerializer,
)
from wecom.configs import default_config
from wecom.directory_sync import runs
from wecom.directory_sync.forecast import forecast
from wecom.errors import WeComError
from wecom.models import DIRECTORY_PARTS, DirectorySyncRun, DirectoryType, WeComConfig
from wecom.quota import pauses_of, token_expires_at
from wecom.sync_request import start

SYNC = ("wecom.sync_directory",)
SEE_RUNS = ("wecom.view_directorysyncrun", *SYNC)
TAGS = ["WeWork"]
BUSY = refusal(
    "A run of this type, or of everything, is under way already (`logId`); or there is no WeCom app to ask.",
    "already_running",
    "A run is at it already.",
)


class StartsSync(ClosedApi):
    """What the four ways of starting a run share."""

    rights = {"POST": SYNC}

    @staticmethod
    def started(request: Request, sync_type: str, asked: dict[str, Any]) -> Response:
        config = asked_app(asked)
        if config is None:
            raise WrongState("no_app", _("There is no WeCom app to ask. Add one in admin."))
        if not config.enabled:
            raise ValidationError({"configId": [_("This app is disabled.")]})
        try:
            run = start(config, sync_type, force=asked["force"], user=request.user)
        except runs.AlreadyRunning as busy:
            raise WrongState(
                "already_running", _("A run is at it already."), logId=busy.run.pk, status=busy.run.status
            ) from busy
        _calls, least = forecast(config, sync_type)
        answer = {"logId": run.pk, "etaSeconds": math.ceil(least.total_seconds())}
        return Response(answer, status=status.HTTP_202_ACCEPTED)


def asked_app(asked: dict[str, Any]) -> WeComConfig | None:
    """The app that ``configId`` names, else the default one. Raises ValidationError."""
    if "configId" not in asked:
        return default_config()
    config = WeComConfig.objects.filter(pk=asked["configId"]).first()
    if config is None:
        raise ValidationError({"configId": [_("There is no such WeCom app.")]})
    return config


class SyncView(StartsSync):
    @extend_schema(
        tags=TAGS,
        operation_id="wework_sync",
        summary="Synchronise the directory now",
        description="A worker reads it from WeCom with the default app, or the one that `configId` names. One run for "
        "each app and type at a time; one over everything excludes all others of its app.",
        request=DirectorySyncRequestSerializer,
        responses=answers(202, DirectorySyncStartedSerializer, {**WRITING, 409: BUSY}),
        examples=[examples.SYNC, examples.OF_APP, examples.STARTED],
    )
    def post(self, request: Request) -> Response:
        asked = self.sent(request, DirectorySyncRequestSerializer)
        return self.started(request, asked["syncType"], asked)


def starts(sync_type: DirectoryType, what: str) -> Any:
    """The decorator of the operation that synchronises ``what`` alone."""
    return extend_schema(
        tags=TAGS,
        operation_id=f"wework_sync_{what}",
        summary=f"Synchronise {what} now",
        request=DirectorySyncForceSerializer,
        responses=answers(202, DirectorySyncStartedSerializer, {**WRITING, 409: BUSY}),
        examples=[examples.FORCE, examples.STARTED],
    )


class SyncDepartmentsView(StartsSync):
    @starts(DirectoryType.DEPARTMENT, "departments")
    def post(self, request: Request) -> Response:
        return self.started(request, DirectoryType.DEPARTMENT, self.sent(request, DirectorySyncForceSerializer))


class SyncUsersView(StartsSync):
    @starts(DirectoryType.USER, "users")
    def post(self, request: Request) -> Response:
        return self.started(request, DirectoryType.USER, self.sent(request, DirectorySyncForceSerializer))


class SyncCustomersView(StartsSync):
    @starts(DirectoryType.CUSTOMER, "customers")
    def post(self, request: Request) -> Response:
        return self.started(request, DirectoryType.CUSTOMER, self.sent(request, DirectorySyncForceSerializer))


class SyncLogsView(ClosedApi):
    rights = {"GET": SEE_RUNS}

    @extend_schema(
        tags=TAGS,
        operation_id="wework_sync_logs",
        summary="List runs of the directory",
        description="Newest first. A page beyond the last is empty.",
        parameters=[SyncLogsQuerySerializer],
        responses=answers(200, SyncLogsSerializer, {**READING, 400: INVALID, 403: FORBIDDEN}),
        examples=[examples.LOGS],
    )
    def get(self, request: Request) -> Response:
        query = self.asked(request, SyncLogsQuerySerializer)
        page, size = query["page"], query["pageSize"]
        app = asked_app(query) if "configId" in query else None
        filters = {"sync_type": query.get("syncType"), "status": query.get("status"), "config": app}
        rows = DirectorySyncRun.objects.filter(**{name: value for name, value in filters.items() if value})
        entries = SyncLogSerializer(rows.defer("error_detail")[(page - 1) * size : page * size], many=True)
        pagination = {"page": page, "pageSize": size, "total": rows.count()}
        return Response({"logs": entries.data, "pagination": pagination})


class SyncLogView(ClosedApi):
    rights = {"GET": SEE_RUNS}

    @extend_schema(
        tags=TAGS,
        operation_id="wework_sync_log",
        summary="Read the progress of a run",
        responses=answers(200, SyncProgressSerializer, {**READING_ONE, 403: FORBIDDEN}),
        examples=[examples.PROGRESS],
    )
    def get(self, request: Request, log_id: int) -> Response:
        return Response(SyncProgressSerializer(get_object_or_404(DirectorySyncRun, pk=log_id)).data)


class SyncStatusView(ClosedApi):
    rights = {"GET": SEE_RUNS}

    @extend_schema(
        tags=TAGS,
        operation_id="wework_sync_status",
        summary="Read how the synchronisation is doing",
        description="Of the default app, or the one that `configId` names: its open runs, the last run of each type, "
        "its access token, its pauses.",
        parameters=[SyncStatusQuerySerializer],
        responses=answers(200, SyncStatusSerializer, {**READING, 400: INVALID, 403: FORBIDDEN}),
        examples=[examples.STATUS],
    )
    def get(self, request: Request) -> Response:
        config = asked_app(self.asked(request, SyncStatusQuerySerializer))
        ours = DirectorySyncRun.objects.filter(config=config).defer("error_detail")
        found = {
            "running": DirectorySyncRun.objects.filter(config=config, status__in=OPEN),
            "last": {
                part.value: ours.filter(sync_type__in=(part, DirectoryType.FULL)).exclude(status__in=OPEN).first()
                for part in DIRECTORY_PARTS
            },
            **_connection(config),
        }
        return Response(SyncStatusSerializer(found).data)


def _connection(config: WeComConfig | None) -> dict[str, Any]:
    """``token`` and ``pausedUntil``."""
    expires_at: datetime | None = None
    paused: dict[str, datetime] | None = {}
    if config is not None:
        try:
            now = timezone.now()
            paused = {endpoint: now + timedelta(seconds=left) for endpoint, left in pauses_of(config).items()}
            expires_at = token_expires_at(config)
        except WeComError:  # Redis is away, and only it knows; what the database knows is worth an answer
            paused = None
    return {"token": {"expiresAt": expires_at}, "pausedUntil": paused}
