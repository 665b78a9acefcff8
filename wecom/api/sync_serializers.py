"""The directory's runs as JSON: the shapes of the contract, to the key."""

from __future__ import annotations

import math
from typing import Any

from rest_framework import serializers

from config.rest_fields import ExactSerializer, StrictBooleanField, StrictIntegerField
from wecom.api.config_serializers import LARGEST_ID
from wecom.directory_sync import progress
from wecom.models import DirectoryRunStatus, DirectorySyncRun, DirectoryType

MOST_PER_PAGE = 200
LAST_PAGE = 10_000_000
WHICH_APP = "The app that reads, by the id of /api/wework/config. Left out: the default app."


class DirectorySyncForceSerializer(ExactSerializer):
    force = StrictBooleanField(
        default=False, help_text="Writes everything anew, and switches the brake on mass deletion off for this run."
    )
    configId = StrictIntegerField(min_value=1, max_value=LARGEST_ID, required=False, help_text=WHICH_APP)


class DirectorySyncRequestSerializer(DirectorySyncForceSerializer):
    syncType = serializers.ChoiceField(
        DirectoryType.choices,
        default=DirectoryType.FULL.value,
        help_text="full: departments, then users, then customers.",
    )


class DirectorySyncStartedSerializer(serializers.Serializer[Any]):
    logId = serializers.IntegerField(help_text="The run's number; /api/wework/sync/logs/{id} tells its progress.")
    etaSeconds = serializers.IntegerField(
        help_text="How long reading takes at least, by WeCom's limits and what is known here: a first run takes longer."
    )


class SyncLogSerializer(serializers.ModelSerializer[DirectorySyncRun]):
    syncType = serializers.ChoiceField(DirectoryType.choices, source="sync_type")
    status = serializers.ChoiceField(DirectoryRunStatus.choices)
    startedAt = serializers.DateTimeField(source="started_at", allow_null=True)
    finishedAt = serializers.DateTimeField(source="finished_at", allow_null=True)
    durationMs = serializers.SerializerMethodField(help_text="Until now, while it runs; null before it has started.")
    errorMessage = serializers.SerializerMethodField(
        help_text="Why it failed, is partial, or waits for its next turn; null where nothing is wrong."
    )

    class Meta:
        model = DirectorySyncRun
        fields: tuple[str, ...] = (
            "id",
            "syncType",
            "status",
            "force",
            "startedAt",
            "finishedAt",
            "durationMs",
            "fetched",
            "created",
            "updated",
            "unchanged",
            "deleted",
            "failed",
            "errorMessage",
        )
        read_only_fields = fields

    def get_durationMs(self, run: DirectorySyncRun) -> int | None:
        return None if run.duration is None else max(0, round(run.duration.total_seconds() * 1000))

    def get_errorMessage(self, run: DirectorySyncRun) -> str | None:
        fine = run.status in (DirectoryRunStatus.SUCCESS, DirectoryRunStatus.RUNNING)
        return None if fine else run.message or None


class SyncProgressSerializer(SyncLogSerializer):
    """A log entry with its progress."""

    phase = serializers.CharField(help_text="What it is at: department, user, customer, apply. Empty outside a run.")
    callsDone = serializers.IntegerField(source="calls_done")
    callsExpected = serializers.IntegerField(
        source="calls_expected", allow_null=True, help_text="As far as is known by now; null before the first."
    )
    percent = serializers.SerializerMethodField(help_text="Of the calls; null while nobody knows.")
    etaSeconds = serializers.SerializerMethodField(help_text="How long it is likely to read on; null while unknown.")
    retries = serializers.IntegerField(help_text="Automatic repetitions so far.")
    notBefore = serializers.DateTimeField(source="not_before", help_text="A pending run waits until then.")
    message = serializers.CharField(help_text="What came of it, in a sentence.")
    errorDetail = serializers.CharField(source="error_detail")

    class Meta(SyncLogSerializer.Meta):
        fields = (
            *SyncLogSerializer.Meta.fields,
            "phase",
            "callsDone",
            "callsExpected",
            "percent",
            "etaSeconds",
            "retries",
            "notBefore",
            "message",
            "errorDetail",
        )
        read_only_fields = fields

    def get_percent(self, run: DirectorySyncRun) -> int | None:
        return progress.percent(run)

    def get_etaSeconds(self, run: DirectorySyncRun) -> int | None:
        left = progress.eta(run)
        return None if left is None else math.ceil(left.total_seconds())


class SyncLogsQuerySerializer(serializers.Serializer[Any]):
    syncType = serializers.ChoiceField(DirectoryType.choices, required=False)
    status = serializers.ChoiceField(DirectoryRunStatus.choices, required=False)
    configId = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, required=False, help_text="Runs of this app only. Left out: of all apps."
    )
    page = serializers.IntegerField(min_value=1, max_value=LAST_PAGE, default=1)
    pageSize = serializers.IntegerField(min_value=1, max_value=MOST_PER_PAGE, default=20)


class SyncStatusQuerySerializer(serializers.Serializer[Any]):
    configId = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_ID,
        required=False,
        help_text="The app, by the id of /api/wework/config. Left out: the default app.",
    )


class SyncLogsPaginationSerializer(serializers.Serializer[Any]):
    page = serializers.IntegerField()
    pageSize = serializers.IntegerField()
    total = serializers.IntegerField(help_text="Entries on all pages together.")


class SyncLogsSerializer(serializers.Serializer[Any]):
    logs = SyncLogSerializer(many=True)
    pagination = SyncLogsPaginationSerializer()


class LastRunsSerializer(serializers.Serializer[Any]):
    """The last run of each type that has ended; a full run is one of each. null: there was none."""

    department = SyncLogSerializer(allow_null=True)
    user = SyncLogSerializer(allow_null=True)
    customer = SyncLogSerializer(allow_null=True)


class WeComTokenSerializer(serializers.Serializer[Any]):
    expiresAt = serializers.DateTimeField(allow_null=True, help_text="null: there is no access token just now.")


class SyncStatusSerializer(serializers.Serializer[Any]):
    running = SyncProgressSerializer(many=True, help_text="Runs that wait for a worker or are under way.")
    last = LastRunsSerializer()
    token = WeComTokenSerializer()
    pausedUntil = serializers.DictField(
        child=serializers.DateTimeField(),
        allow_null=True,
        help_text="Calls to WeCom that nobody makes at present, and until when. null: unknown, as Redis is away.",
    )
