"""Synchronising over REST: start, watch, look back."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest_answers import FORBIDDEN, INVALID, READING, READING_ONE, WRITING, answers
from config.rest_views import ClosedApi, WrongState
from projects import statistics
from projects.api import examples
from projects.api.answers import REMOTE_FAILED, RUN_OPEN
from projects.api.sync_serializers import (
    DaysQuerySerializer,
    HistoryEntrySerializer,
    HistorySerializer,
    PageQuerySerializer,
    RunSerializer,
    StatisticsSerializer,
    SyncRequestSerializer,
    SyncResultSerializer,
    SyncStartedSerializer,
    message_of,
    result_of,
)
from projects.errors import AlreadyRunning
from projects.models import ProjectSyncHistory, RemoteSource, RunStatus, TimeDisplayConfig
from projects.sources import enabled_sources
from projects.sync import runs as sync_runs
from projects.sync_request import NO_SOURCE, hand_to_worker, open_runs

SYNC = ("projects.sync_remotesource",)
SEE_RUNS = ("projects.view_projectsynchistory", *SYNC)


class SyncView(ClosedApi):
    rights = {"POST": SYNC}

    @extend_schema(
        tags=["Projects"],
        operation_id="projects_sync",
        summary="Synchronise the mirror now",
        description="One run over each project library. By default the answer comes when they are done; with "
        "`wait: false` at once, and `/api/projects/sync/{run_id}` tells the progress.",
        request=SyncRequestSerializer,
        responses={
            **answers(200, SyncResultSerializer, {**WRITING, 409: RUN_OPEN, 502: REMOTE_FAILED}),
            202: SyncStartedSerializer,
        },
        examples=[examples.SYNC, examples.SYNCED, examples.SYNC_STARTED],
    )
    def post(self, request: Request) -> Response:
        options = self.sent(request, SyncRequestSerializer)
        sources = self._sources(options.get("project_types"))
        try:
            opened = open_runs(sources, types=options.get("project_types"), force=options["force"], user=request.user)
        except AlreadyRunning as error:
            raise WrongState("already_running", _("A run is at it already."), run_id=error.run.pk) from error
        if not options["wait"]:
            hand_to_worker()
            numbers = [run.pk for run in opened]
            return Response({"run_id": numbers[0], "run_ids": numbers}, status=status.HTTP_202_ACCEPTED)
        return self._answer([sync_runs.run(run) for run in opened])

    @staticmethod
    def _sources(types: list[str] | None) -> list[RemoteSource]:
        """The libraries that have something of ``types``. Raises WrongState, ValidationError."""
        sources = enabled_sources()
        if not sources:
            raise WrongState("no_source", NO_SOURCE)
        fitting = [source for source in sources if types is None or set(types) & set(source.known_types)]
        if not fitting:
            raise ValidationError({"project_types": [_("No project library is asked for these types.")]})
        return fitting

    @staticmethod
    def _answer(done: list[ProjectSyncHistory]) -> Response:
        result = result_of(done, TimeDisplayConfig.load().timezone)
        if any(run.status != RunStatus.FAILED for run in done):
            return Response(result)
        if all(sync_runs.hit_brake(run) for run in done):
            raise WrongState("brake", message_of(done), run_ids=[run.pk for run in done])
        refusal = {"detail": result["message"], "code": "remote_failed"}
        return Response({**result, **refusal}, status=status.HTTP_502_BAD_GATEWAY)


class SyncRunView(ClosedApi):
    rights = {"GET": SEE_RUNS}

    @extend_schema(
        tags=["Projects"],
        operation_id="projects_sync_progress",
        summary="Read the progress of a run",
        responses=answers(200, RunSerializer, {**READING_ONE, 403: FORBIDDEN}),
        examples=[examples.PROGRESS],
    )
    def get(self, request: Request, run_id: int) -> Response:
        run = get_object_or_404(ProjectSyncHistory.objects.select_related("source"), pk=run_id)
        return Response(RunSerializer(run).data)


class SyncHistoryView(ClosedApi):
    rights = {"GET": SEE_RUNS}

    @extend_schema(
        tags=["Projects"],
        operation_id="projects_sync_history",
        summary="List past runs",
        description="Newest first. A page beyond the last is empty.",
        parameters=[PageQuerySerializer],
        responses=answers(200, HistorySerializer, {**READING, 400: INVALID, 403: FORBIDDEN}),
        examples=[examples.HISTORY],
    )
    def get(self, request: Request) -> Response:
        query = self.asked(request, PageQuerySerializer)
        page, size = query["page"], query["page_size"]
        rows = ProjectSyncHistory.objects.all()
        context = {"zone": TimeDisplayConfig.load().timezone}
        entries = HistoryEntrySerializer(rows[(page - 1) * size : page * size], many=True, context=context)
        pagination = {"page": page, "page_size": size, "total": rows.count()}
        return Response({"history": entries.data, "pagination": pagination})


class SyncStatisticsView(ClosedApi):
    rights = {"GET": SEE_RUNS}

    @extend_schema(
        tags=["Projects"],
        operation_id="projects_sync_statistics",
        summary="Read runs, changes and durations per day",
        description="One entry for each day, the oldest first, in the site's time zone.",
        parameters=[DaysQuerySerializer],
        responses=answers(200, StatisticsSerializer, {**READING, 400: INVALID, 403: FORBIDDEN}),
        examples=[examples.STATISTICS],
    )
    def get(self, request: Request) -> Response:
        days = statistics.per_day(self.asked(request, DaysQuerySerializer)["days"])
        return Response(StatisticsSerializer({"days": days}).data)
