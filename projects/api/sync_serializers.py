"""Runs as JSON: the shapes of the contract, to the key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.durations import duration_words
from config.rest_fields import ExactSerializer, SomeOfField, StrictBooleanField
from config.sentences import in_a_row
from projects.api.times import written
from projects.models import (
    ProjectStatus,
    ProjectStatusChange,
    ProjectSyncHistory,
    ProjectType,
    RunStatus,
    SyncType,
)

MOST_PER_PAGE = 200
LAST_PAGE = 10_000_000
ASKED = [("manual", _("Started by a person")), ("full", _("Everything"))]
"""What a client may call it."""


class SyncRequestSerializer(ExactSerializer):
    sync_type = serializers.ChoiceField(
        ASKED,
        default="manual",
        help_text="Both are the same: every run compares the whole list.",
    )
    force = StrictBooleanField(default=False, help_text="Switches the brake on mass removal off for this run.")
    project_types = SomeOfField(
        ProjectType.choices,
        required=False,
        allow_empty=False,
        help_text="Only these types; default: those of the synchronisation settings.",
    )
    wait = StrictBooleanField(
        default=True, help_text="false: a worker does it; 202 with the number to ask for its progress."
    )


class ChangeSerializer(serializers.ModelSerializer[ProjectStatusChange]):
    project_id = serializers.CharField(source="remote_id")
    notified = serializers.SerializerMethodField(help_text="Whether messages to people were put into the queue.")
    old_status = serializers.ChoiceField(ProjectStatus.choices)
    new_status = serializers.ChoiceField(ProjectStatus.choices)

    class Meta:
        model = ProjectStatusChange
        fields = ("project_id", "old_status", "new_status", "notified")

    def get_notified(self, change: ProjectStatusChange) -> bool:
        return change.notices > 0


class SyncResultSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField(help_text="Whether every run reached its end.")
    total = serializers.IntegerField(help_text="Projects seen.")
    updated = serializers.IntegerField(help_text="Written, new ones included.")
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Projects of which the library sent nothing usable.")
    sync_time = serializers.CharField(help_text="When it started, such as 2024-02-02 15:30:00.")
    duration = serializers.CharField(help_text="In words, such as 5.6秒.")
    changes = ChangeSerializer(many=True, help_text="Whose status is another one now.")
    message = serializers.CharField(required=False, help_text="What went wrong; only without success.")


class SyncStartedSerializer(serializers.Serializer[Any]):
    run_id = serializers.IntegerField(help_text="The first run's number.")
    run_ids = serializers.ListField(child=serializers.IntegerField(), help_text="One for each library.")


def result_of(runs: Sequence[ProjectSyncHistory], zone: str) -> dict[str, Any]:
    """What came of ``runs``, which are closed: their numbers added up."""
    first = min(run.started_at or run.created_at for run in runs)
    last = max(run.finished_at or run.created_at for run in runs)
    changes = ProjectStatusChange.objects.filter(run__in=runs).order_by("id")
    success = all(run.status == RunStatus.SUCCESS for run in runs)
    result = {
        "success": success,
        "total": sum(run.total_projects for run in runs),
        "updated": sum(run.updated_count for run in runs),
        "unchanged": sum(run.unchanged_count for run in runs),
        "failed": sum(run.failed_count for run in runs),
        "sync_time": written(first, zone),
        "duration": duration_words(last - first),
        "changes": ChangeSerializer(changes, many=True).data,
    }
    return result if success else {**result, "message": message_of(runs)}


def message_of(runs: Sequence[ProjectSyncHistory]) -> str:
    """Why some of ``runs`` have not succeeded, each named if there are several."""
    unlucky = [run for run in runs if run.status != RunStatus.SUCCESS]
    if len(runs) == 1:
        return unlucky[0].message
    return in_a_row(*(f"{run.source}: {run.message}" for run in unlucky))


class RunSerializer(serializers.ModelSerializer[ProjectSyncHistory]):
    """Progress of one run."""

    run_id = serializers.IntegerField(source="pk")
    source = serializers.CharField(  # type: ignore[assignment] # the name of an attribute of fields, too
        source="source.slug", help_text="The library's short name."
    )
    percent = serializers.IntegerField(
        allow_null=True, help_text="0 to 100; null while the library has not said how many there are."
    )
    total = serializers.IntegerField(source="total_projects", help_text="Projects seen so far.")
    announced = serializers.IntegerField(allow_null=True, help_text="How many the library says it has.")
    created = serializers.IntegerField(source="created_count")
    updated = serializers.IntegerField(source="updated_count", help_text="New ones included.")
    unchanged = serializers.IntegerField(source="unchanged_count")
    failed = serializers.IntegerField(source="failed_count")
    removed = serializers.IntegerField(source="removed_count")
    duration = serializers.SerializerMethodField(help_text="In words, such as 5.6秒; until now, while it runs.")

    class Meta:
        model = ProjectSyncHistory
        fields = (
            "run_id",
            "source",
            "sync_type",
            "status",
            "percent",
            "pages_done",
            "announced",
            "total",
            "created",
            "updated",
            "unchanged",
            "failed",
            "removed",
            "started_at",
            "finished_at",
            "duration",
            "message",
            "error_detail",
        )
        read_only_fields = fields

    def get_duration(self, run: ProjectSyncHistory) -> str:
        return duration_words(run.duration)


class HistoryEntrySerializer(serializers.ModelSerializer[ProjectSyncHistory]):
    sync_time = serializers.SerializerMethodField(help_text="When it started, such as 2024-02-02 15:30:00.")
    sync_type = serializers.ChoiceField(SyncType.choices)
    status = serializers.ChoiceField(RunStatus.choices)
    duration = serializers.SerializerMethodField(help_text="In words, such as 5.6秒.")

    class Meta:
        model = ProjectSyncHistory
        fields = (
            "sync_time",
            "sync_type",
            "total_projects",
            "updated_count",
            "unchanged_count",
            "failed_count",
            "duration",
            "status",
            "message",
            "error_detail",
        )

    def get_sync_time(self, run: ProjectSyncHistory) -> str:
        return str(written(run.started_at or run.created_at, self.context["zone"]))

    def get_duration(self, run: ProjectSyncHistory) -> str:
        return duration_words(run.duration)


class PageQuerySerializer(serializers.Serializer[Any]):
    page = serializers.IntegerField(min_value=1, max_value=LAST_PAGE, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=MOST_PER_PAGE, default=20)


class PaginationSerializer(serializers.Serializer[Any]):
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    total = serializers.IntegerField(help_text="Entries on all pages together.")


class HistorySerializer(serializers.Serializer[Any]):
    history = HistoryEntrySerializer(many=True)
    pagination = PaginationSerializer()


class DaysQuerySerializer(serializers.Serializer[Any]):
    days = serializers.IntegerField(min_value=1, max_value=366, default=30, help_text="How many, up to today.")


class DaySerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    runs = serializers.IntegerField()
    changes = serializers.IntegerField(help_text="Status changes.")
    failures = serializers.IntegerField(help_text="Runs that failed or broke off.")
    p50 = serializers.FloatField(allow_null=True, help_text="Seconds that half of the runs stayed below.")
    p95 = serializers.FloatField(allow_null=True, help_text="Seconds that 95 % of the runs stayed below.")


class StatisticsSerializer(serializers.Serializer[Any]):
    days = DaySerializer(many=True)
