"""Quotes as JSON. Limits of texts and numbers come from the models; the total is never taken from a request."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from approvals import quotes
from approvals.chain import MOST_APPROVERS
from approvals.models import Flow, Quote, QuoteItem, Relation
from approvals.rules import LONGEST_COMMENT


class QuoteItemSerializer(serializers.ModelSerializer[QuoteItem]):
    amount = serializers.SerializerMethodField(help_text="quantity × unit_price, rounded half up to the cent.")

    class Meta:
        model = QuoteItem
        fields = ("name", "specification", "quantity", "unit_price", "amount")

    @extend_schema_field(serializers.DecimalField(max_digits=24, decimal_places=2))
    def get_amount(self, item: QuoteItem) -> str:
        return str(quotes.amount(item.quantity, item.unit_price))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An item is whole, also in a PATCH: there DRF lets nested fields be absent, but items are replaced."""
        missing = [name for name, field in self.fields.items() if field.required and name not in attrs]
        if missing:
            raise serializers.ValidationError({name: self.fields[name].error_messages["required"] for name in missing})
        return attrs


class QuoteSerializer(serializers.ModelSerializer[Quote]):
    items = QuoteItemSerializer(  # type: ignore[call-arg] # the stubs do not know what many=True takes
        many=True, max_length=quotes.MOST_ITEMS, help_text="In this order; given again, they replace all."
    )
    owner = serializers.SlugRelatedField[Any](slug_field="username", read_only=True, help_text="The owner's user name.")
    latest_approval = serializers.IntegerField(
        source="latest_approval_id", read_only=True, allow_null=True, help_text="ID of the latest approval, if any."
    )

    class Meta:
        model = Quote
        fields = (
            "id",
            "quote_number",
            "revision",
            "status",
            "approval_status",
            "title",
            "customer_name",
            "contact",
            "phone",
            "currency",
            "valid_until",
            "remark",
            "items",
            "total",
            "owner",
            "latest_approval",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("quote_number", "revision", "status", "approval_status", "total")


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "maxLength": 64},
            {
                "type": "object",
                "required": ["userids"],
                "properties": {
                    "userids": {"type": "array", "items": {"type": "string", "maxLength": 64}, "minItems": 1},
                    "relation": {"type": "string", "enum": list(Relation.values), "default": "all"},
                },
            },
        ]
    }
)
class ApproverField(serializers.Field[Any, Any, Any, Any]):
    """A userid, or a step of several; ``approvals.chain`` says what is wrong with it."""

    default_error_messages = {"invalid": _("A userid, or an object with userids and relation.")}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) or (isinstance(data, str) and data.strip()):
            return data
        raise serializers.ValidationError(self.error_messages["invalid"], code="invalid")

    def to_representation(self, value: Any) -> Any:
        return value


class SubmitSerializer(serializers.Serializer[Any]):
    flow = serializers.ChoiceField(
        Flow.choices, required=False, help_text="Where it is decided; default: the matching approval rule's."
    )
    approvers = serializers.ListField(
        child=ApproverField(),
        required=False,
        max_length=MOST_APPROVERS,
        help_text="WeCom userids, all of whom must agree; or the steps one after another, each with `userids` and "
        "`relation` (all, any, in_turn). Default: the matching approval rule's, else the template's own flow.",
    )
    comment = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_COMMENT, label=_("comment"))
