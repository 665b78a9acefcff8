"""Batches as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from approvals.api.approval_serializers import LARGEST_ID
from approvals.batches import MOST_AT_ONCE, Tally, tally
from approvals.models import Batch, BatchItem, BatchVerb
from approvals.rules import LONGEST_COMMENT

STATUSES = ("running", "finished")
OUTCOMES = ("done", "unchanged", "refused", "failed", "open")
"""Of an item, and what a batch counts: ``failed`` was given up, ``open`` is not done yet."""


class BatchRequestSerializer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(BatchVerb.choices)
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        allow_empty=False,
        max_length=MOST_AT_ONCE,
        help_text="Approvals; repetitions count once.",
    )
    comment = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_COMMENT, help_text="Of each decision."
    )


class BatchSerializer(serializers.ModelSerializer[Batch]):
    action = serializers.ChoiceField(BatchVerb.choices, source="verb", read_only=True)
    status = serializers.SerializerMethodField(help_text="`running` until the last approval has its outcome.")
    done = serializers.SerializerMethodField()
    unchanged = serializers.SerializerMethodField(help_text="WeCom had nothing new.")
    refused = serializers.SerializerMethodField(help_text="The reasons stand at the items.")
    failed = serializers.SerializerMethodField(help_text="Given up after several attempts; somebody has to look.")
    open = serializers.SerializerMethodField(help_text="Not done yet, or tried again later because WeCom is away.")

    class Meta:
        model = Batch
        fields: tuple[str, ...] = (
            "id",
            "action",
            "comment",
            "total",
            "status",
            *OUTCOMES,
            "created_at",
            "finished_at",
        )
        read_only_fields: tuple[str, ...] = fields

    def to_representation(self, instance: Batch) -> dict[str, Any]:
        self._tally: Tally = tally(instance)
        return dict(super().to_representation(instance))

    @extend_schema_field(serializers.ChoiceField(STATUSES))
    def get_status(self, batch: Batch) -> str:
        return "finished" if batch.finished_at else "running"

    def get_done(self, _batch: Batch) -> int:
        return self._tally.done

    def get_unchanged(self, _batch: Batch) -> int:
        return self._tally.unchanged

    def get_refused(self, _batch: Batch) -> int:
        return self._tally.refused

    def get_failed(self, _batch: Batch) -> int:
        return self._tally.failed

    def get_open(self, _batch: Batch) -> int:
        return self._tally.open


class BatchItemSerializer(serializers.ModelSerializer[BatchItem]):
    approval = serializers.IntegerField(source="instance_id", read_only=True)
    outcome = serializers.ChoiceField(OUTCOMES, source="result", read_only=True)
    message = serializers.CharField(
        source="why", read_only=True, help_text="Why it was refused, or what it waits for; mostly empty."
    )

    class Meta:
        model = BatchItem
        fields = ("approval", "outcome", "message")
        read_only_fields = fields


class BatchItemPageSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = BatchItemSerializer(many=True)


class BatchReportSerializer(BatchSerializer):
    """A batch with a page of its items."""

    items = BatchItemPageSerializer(help_text="In the order they were asked for.")

    class Meta(BatchSerializer.Meta):
        fields = (*BatchSerializer.Meta.fields, "items")
        read_only_fields = fields
