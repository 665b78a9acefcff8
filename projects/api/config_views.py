"""What operators choose, over REST."""

from __future__ import annotations

from typing import Any

from django.db.models import Max
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest_answers import FORBIDDEN, READING, WRITING, answers
from config.rest_fields import (
    ExactSerializer,
    SomeOfField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
)
from config.rest_views import ClosedApi
from projects import schedule
from projects.api import examples
from projects.api.times import written
from projects.models import ProjectSyncConfig, ProjectSyncHistory, ProjectType, RunStatus, TimeDisplayConfig
from projects.settings_rules import CHANNELS, check_cron, check_time_format, check_time_zone
from projects.settings_saving import save_sync_config, save_time_display

LONGEST_TTL = 10_080
"""Minutes: a week."""


class SyncConfigSerializer(ExactSerializer):
    """Every field may be left out of a POST; what is left out stays."""

    auto_sync_enabled = StrictBooleanField(help_text="Whether the mirror is synchronised on schedule.")
    sync_frequency = StrictCharField(
        max_length=100, validators=[check_cron], help_text="Five fields of cron, in the site's time zone."
    )
    cron_expression = StrictCharField(
        max_length=100, allow_blank=True, validators=[check_cron], help_text="Takes the frequency's place if given."
    )
    cache_ttl = StrictIntegerField(
        min_value=1, max_value=LONGEST_TTL, help_text="Minutes for which a copy is taken for current."
    )
    sync_types = SomeOfField(ProjectType.choices, allow_empty=False)
    notify_on_change = StrictBooleanField(help_text="Whether people are told about changes of status.")
    notify_channels = SomeOfField(CHANNELS)


class SyncConfigAnswerSerializer(serializers.Serializer[Any]):
    config = SyncConfigSerializer()
    last_sync_time = serializers.CharField(
        allow_null=True, help_text="When a run last brought something in, such as 2024-02-02 15:30:00; null: never."
    )


class TimeDisplaySerializer(ExactSerializer):
    """Every field may be left out of a POST; what is left out stays."""

    aftersales_time_format = StrictCharField(
        max_length=40, validators=[check_time_format], help_text="From YYYY MM M DD D HH H mm m ss s."
    )
    sales_time_format = StrictCharField(
        max_length=40, validators=[check_time_format], help_text="Of sales and presale projects."
    )
    show_payment_time = StrictBooleanField()
    timezone = StrictCharField(max_length=50, validators=[check_time_zone], help_text="Such as Asia/Shanghai.")


class SavedSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    message = serializers.CharField()


SAVED = {"success": True, "message": _("The configuration was saved.")}
SEEING = {**READING, 403: FORBIDDEN}


class SyncConfigView(ClosedApi):
    rights = {
        "GET": ("projects.view_projectsyncconfig", "projects.change_projectsyncconfig"),
        "POST": ("projects.change_projectsyncconfig",),
    }

    @extend_schema(
        tags=["Projects"],
        operation_id="project_sync_config_read",
        summary="Read the synchronisation settings",
        description="The schedule is what the row of the schedules says, also if it was moved in admin.",
        responses=answers(200, SyncConfigAnswerSerializer, SEEING),
        examples=[examples.SYNC_CONFIG],
    )
    def get(self, request: Request) -> Response:
        config, plan = ProjectSyncConfig.load(), schedule.read()
        frequency, own = schedule.as_shown(config, plan)
        facts = {
            "auto_sync_enabled": plan.enabled,
            "sync_frequency": frequency,
            "cron_expression": own,
            "cache_ttl": config.cache_ttl,
            "sync_types": config.sync_types,
            "notify_on_change": config.notify_on_change,
            "notify_channels": config.notify_channels,
        }
        zone = TimeDisplayConfig.load().timezone
        return Response({"config": facts, "last_sync_time": written(_last_sync(), zone)})

    @extend_schema(
        tags=["Projects"],
        operation_id="project_sync_config_save",
        summary="Save the synchronisation settings",
        description="The schedule moves at once: beat follows within a second or two.",
        request=SyncConfigSerializer(partial=True),
        responses=answers(200, SavedSerializer, WRITING),
        examples=[examples.NEW_SYNC_CONFIG, examples.SAVED],
    )
    def post(self, request: Request) -> Response:
        values = self.sent(request, SyncConfigSerializer, partial=True)
        enabled = values.pop("auto_sync_enabled", None)
        save_sync_config(values, auto_sync_enabled=enabled)
        return Response(SAVED)


class TimeDisplayView(ClosedApi):
    rights = {
        "GET": ("projects.view_timedisplayconfig", "projects.change_timedisplayconfig"),
        "POST": ("projects.change_timedisplayconfig",),
    }

    @extend_schema(
        tags=["Projects"],
        operation_id="time_display_read",
        summary="Read how times are written",
        responses=answers(200, TimeDisplaySerializer, SEEING),
        examples=[examples.TIME_DISPLAY],
    )
    def get(self, request: Request) -> Response:
        return Response(TimeDisplaySerializer(TimeDisplayConfig.load()).data)

    @extend_schema(
        tags=["Projects"],
        operation_id="time_display_save",
        summary="Save how times are written",
        description="For the API and the customers' pages alike, from the next answer on.",
        request=TimeDisplaySerializer(partial=True),
        responses=answers(200, SavedSerializer, WRITING),
        examples=[examples.NEW_TIME_DISPLAY, examples.SAVED],
    )
    def post(self, request: Request) -> Response:
        save_time_display(self.sent(request, TimeDisplaySerializer, partial=True))
        return Response(SAVED)


def _last_sync() -> Any:
    done = ProjectSyncHistory.objects.filter(status__in=(RunStatus.SUCCESS, RunStatus.PARTIAL))
    return done.aggregate(at=Max("finished_at"))["at"]
