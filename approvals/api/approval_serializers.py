"""Approvals and their timeline as JSON: the shapes of the contract, to the key."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from approvals.models import ApprovalInstance, ApprovalStep, ApprovalTimeline, InstanceStatus, Quote
from approvals.problems import explained
from approvals.rules import LONGEST_COMMENT

MOST_IDS = 200
"""Approvals compared with WeCom per request: each costs one call there."""
LARGEST_ID = 2**63 - 1


class StepSerializer(serializers.ModelSerializer[ApprovalStep]):
    class Meta:
        model = ApprovalStep
        fields = ("userid", "name", "status", "comment", "time")


class ApprovalErrorSerializer(serializers.Serializer[Any]):
    errcode = serializers.IntegerField(allow_null=True, help_text="WeCom's code; null if the reason is our own.")
    message = serializers.CharField()
    remedy = serializers.CharField(allow_blank=True, help_text="What a person can do about it.")


class ApprovalSerializer(serializers.ModelSerializer[ApprovalInstance]):
    quote_number = serializers.CharField(source="quote.quote_number", read_only=True)
    applicant = serializers.CharField(source="applicant.username", read_only=True, help_text="User name.")
    error = serializers.SerializerMethodField(help_text="Why WeCom refused the submission; null unless it did.")
    steps = serializers.SerializerMethodField(help_text="The approvers' places in their order; without copies.")

    class Meta:
        model = ApprovalInstance
        fields = (
            "id",
            "quote_number",
            "third_no",
            "sp_no",
            "flow",
            "status",
            "remote_status",
            "remote_pending",
            "conflict",
            "applicant",
            "submitted_at",
            "decided_at",
            "last_synced_at",
            "error",
            "steps",
        )
        read_only_fields = fields

    @extend_schema_field(ApprovalErrorSerializer(allow_null=True))
    def get_error(self, instance: ApprovalInstance) -> dict[str, Any] | None:
        if not (instance.error_code or instance.error_message):
            return None
        code = instance.error_code
        sentence, remedy = explained(code, instance.error_message)
        errcode = int(code) if code.lstrip("-").isdigit() else None
        return {"errcode": errcode, "message": sentence, "remedy": remedy}

    @extend_schema_field(StepSerializer(many=True))
    def get_steps(self, instance: ApprovalInstance) -> Any:
        # who gets a copy decides nothing, and has no status
        return StepSerializer([step for step in instance.steps.all() if step.kind != "cc"], many=True).data


class ApprovalStateSerializer(ApprovalSerializer):
    """The answer of the status query; what is unknown before the first submission may be null there."""

    id = serializers.IntegerField(allow_null=True)
    flow = serializers.CharField(allow_null=True)
    applicant = serializers.CharField(source="applicant.username", allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)


def not_submitted(quote: Quote) -> dict[str, Any]:
    """The answer of the status query for a quote whose present revision was never submitted: an approval's keys."""
    empty = dict.fromkeys(ApprovalSerializer.Meta.fields)
    texts = {"third_no": "", "sp_no": "", "remote_status": ""}
    facts = {"quote_number": quote.quote_number, "status": str(InstanceStatus.NOT_SUBMITTED)}
    return {**empty, **texts, **facts, "remote_pending": False, "conflict": False, "steps": []}


class StatusQuerySerializer(serializers.Serializer[Any]):
    quote_number = serializers.CharField(required=False, max_length=32)
    sp_no = serializers.CharField(required=False, max_length=64, help_text="WeCom's number.")
    third_no = serializers.CharField(required=False, max_length=64, help_text="Our number of the submission.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError(_("Give quote_number, sp_no or third_no."))
        return attrs


class TimelineSerializer(serializers.ModelSerializer[ApprovalTimeline]):
    class Meta:
        model = ApprovalTimeline
        fields = ("at", "channel", "actor", "action", "from_status", "to_status", "outcome", "comment", "event_id")
        read_only_fields = fields


class CommentSerializer(serializers.Serializer[Any]):
    comment = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_COMMENT)


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=LONGEST_COMMENT, help_text="Shown to the applicant; required.")


class DelegateSerializer(CommentSerializer):
    delegate_to = serializers.CharField(max_length=64, help_text="WeCom userid of the member who decides instead.")


class SyncSerializer(serializers.Serializer[Any]):
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        required=False,
        allow_empty=False,
        max_length=MOST_IDS,
        help_text="Approvals to compare; without it, everything that is open.",
    )
