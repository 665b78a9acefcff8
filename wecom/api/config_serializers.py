"""An app as the API shows and takes it: camelCase, and secrets that only go in."""

from __future__ import annotations

from typing import Any

from django.core.validators import validate_slug
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.rest_fields import ExactSerializer, StrictBooleanField, StrictCharField, StrictIntegerField
from config.sealed import MASK, Sealed
from wecom.configs import callback_url
from wecom.credential_rules import check_aes_key, check_token
from wecom.models import Capability, CapabilityResult, WeComConfig
from wecom.probe import PLACES, Probed, explain

LONGEST_SECRET = 256
LARGEST_ID = 2**63 - 1


class SecretField(StrictCharField):
    """Write-only: shown as a mask where one is stored. The mask sent back means the stored one."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", LONGEST_SECRET)
        super().__init__(**kwargs)

    def run_validators(self, value: Any) -> None:
        if value != MASK:
            super().run_validators(value)

    def to_representation(self, value: Sealed) -> str:  # type: ignore[override]
        return str(value)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer", "minimum": 0, "maximum": LARGEST_ID},
            {"type": "string", "pattern": "^[0-9]{1,18}$"},
        ]
    }
)
class AgentIdField(StrictIntegerField):
    """A number; WeCom's own documents also write it as text."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and data.isascii() and data.isdigit() and len(data) <= 18:
            data = int(data)
        return super().to_internal_value(data)


class CapabilitySerializer(serializers.Serializer[Any]):
    """What the last probe found of one right."""

    capability = serializers.ChoiceField(Capability.choices)
    ok = serializers.BooleanField(allow_null=True, help_text="null: could not be told.")
    errcode = serializers.IntegerField(allow_null=True, help_text="WeCom's, if it refused.")
    message = serializers.CharField(help_text="What it means.")
    remedy = serializers.CharField(help_text="What to do about it; empty where nothing is wrong.")
    place = serializers.CharField(help_text="Where in WeCom's console; empty unless it is refused.")
    checkedAt = serializers.DateTimeField(allow_null=True)


def shown(result: Probed | CapabilityResult, config: WeComConfig, checked_at: Any) -> dict[str, Any]:
    """One line of the matrix, for CapabilitySerializer."""
    said = explain(result, config)
    return {
        "capability": str(result.capability),
        "ok": result.ok,
        "errcode": result.errcode,
        "message": said.sentence,
        "remedy": said.remedy,
        "place": str(PLACES[Capability(result.capability)]) if result.ok is False else "",
        "checkedAt": checked_at,
    }


class WeWorkConfigSerializer(ExactSerializer):
    """What is read-only may be sent back as it came, and is ignored."""

    id = serializers.IntegerField(read_only=True)
    name = StrictCharField(max_length=100, required=False, help_text="Left out: made of the agent ID.")
    slug = StrictCharField(
        max_length=50,
        required=False,
        validators=[validate_slug],
        help_text="Part of the callback address. Left out: made of the agent ID.",
    )
    corpId = StrictCharField(max_length=64, source="corp_id")
    corpSecret = SecretField(source="secret", help_text="Of the app. ****** keeps the stored one.")
    agentId = AgentIdField(min_value=0, max_value=LARGEST_ID, source="agent_id")
    token = SecretField(
        source="callback_token",
        required=False,
        allow_blank=True,
        validators=[check_token],
        help_text="Of the callback; letters and digits.",
    )
    encodingAesKey = SecretField(
        source="encoding_aes_key",
        required=False,
        allow_blank=True,
        validators=[check_aes_key],
        help_text="Of the callback; 43 letters and digits.",
    )
    nextToken = SecretField(
        source="next_callback_token",
        required=False,
        allow_blank=True,
        validators=[check_token],
        help_text="While credentials are rotated, callbacks with either pair are accepted.",
    )
    nextEncodingAesKey = SecretField(
        source="next_encoding_aes_key", required=False, allow_blank=True, validators=[check_aes_key]
    )
    contactSecret = SecretField(
        source="contact_secret", required=False, allow_blank=True, help_text="Of the sync assistant (通讯录同步助手)."
    )
    contactToken = SecretField(
        source="contact_callback_token",
        required=False,
        allow_blank=True,
        validators=[check_token],
        help_text="Of the sync assistant's callback, which has a pair of its own. It calls the app's callback address.",
    )
    contactEncodingAesKey = SecretField(
        source="contact_encoding_aes_key", required=False, allow_blank=True, validators=[check_aes_key]
    )
    templateId = StrictCharField(max_length=128, source="template_id", required=False, allow_blank=True)
    engineTemplateId = StrictCharField(
        max_length=128,
        source="engine_template_id",
        required=False,
        allow_blank=True,
        help_text="Of the approval engine.",
    )
    defaultApplicant = StrictCharField(
        max_length=64,
        source="default_applicant",
        required=False,
        allow_blank=True,
        help_text="Userid that submits for people who are not linked to a member.",
    )
    enabled = StrictBooleanField(required=False)
    isDefault = StrictBooleanField(source="is_default", required=False, help_text="Takes the mark from the other app.")
    callbackUrl = serializers.SerializerMethodField(help_text="To be entered in WeCom's console.")
    lastCallbackAt = serializers.DateTimeField(source="last_callback_at", read_only=True, allow_null=True)
    lastCredential = serializers.ChoiceField(
        ["", "primary", "secondary"],
        source="last_credential",
        read_only=True,
        help_text="The pair that the last callback carried; secondary: the next one. Empty: none since they changed.",
    )
    capabilities = serializers.SerializerMethodField(help_text="What the last probe found; empty: not asked yet.")
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)
    updatedAt = serializers.DateTimeField(source="updated_at", read_only=True)

    def get_callbackUrl(self, config: WeComConfig) -> str:
        return callback_url(config)

    @extend_schema_field(CapabilitySerializer(many=True))
    def get_capabilities(self, config: WeComConfig) -> list[dict[str, Any]]:
        known = {result.capability: result for result in config.capabilities.all()}
        results = [known[name] for name in Capability.values if name in known]
        return list(CapabilitySerializer([shown(one, config, one.checked_at) for one in results], many=True).data)

    def validate_slug(self, slug: str) -> str:
        namesake = WeComConfig.objects.filter(slug=slug).first()
        if namesake is not None and namesake != self.instance:
            raise serializers.ValidationError(_("Another app has this slug."), code="unique")
        return slug

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None and values.get("secret") == MASK:
            raise serializers.ValidationError({"corpSecret": [_("Enter the secret; ****** stands for a stored one.")]})
        return {name: value for name, value in values.items() if value != MASK or name not in SECRETS}


SECRETS = {field.source for field in WeWorkConfigSerializer().fields.values() if isinstance(field, SecretField)}


class WeWorkConfigsSerializer(serializers.Serializer[Any]):
    configs = WeWorkConfigSerializer(many=True)


class ConnectionTestSerializer(ExactSerializer):
    """A stored app by its ``id``, or credentials that are not stored yet; given with an ``id``, they take the place of
    what is stored for this test."""

    id = StrictIntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    corpId = StrictCharField(max_length=64, source="corp_id", required=False)
    corpSecret = SecretField(source="secret", required=False)
    agentId = AgentIdField(min_value=0, max_value=LARGEST_ID, source="agent_id", required=False)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if "id" in values:
            return {name: value for name, value in values.items() if value != MASK or name != "secret"}
        missing = {name: [_("This field is required.")] for name, field in CREDENTIALS.items() if field not in values}
        if values.get("secret") == MASK:
            missing["corpSecret"] = [_("Enter the secret; ****** stands for a stored one.")]
        if missing:
            raise serializers.ValidationError(missing)
        return values


CREDENTIALS = {"corpId": "corp_id", "corpSecret": "secret", "agentId": "agent_id"}


class ConnectionTestAnswerSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField(help_text="WeCom gives an access token and takes calls from this server.")
    message = serializers.CharField()
    remedy = serializers.CharField()
    capabilities = CapabilitySerializer(many=True)
