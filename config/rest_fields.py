"""Serializers that take JSON at its word: a number is no text, a yes is no "yes", and an unknown key is a mistake."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers


class StrictBooleanField(serializers.BooleanField):
    """``true`` or ``false``. DRF's own takes "on", 1 and "n" too."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictIntegerField(serializers.IntegerField):
    """A whole number; not "30", and not true."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """Text; not 5."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class SomeOfField(serializers.ListField):
    """A list of some of ``choices``, each once, in the order of ``choices``."""

    default_error_messages = {"repeated": _("Each may be named once.")}

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        self.order = [value for value, _label in choices]
        super().__init__(child=serializers.ChoiceField(choices), **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        values = super().to_internal_value(data)
        if len(set(values)) != len(values):
            self.fail("repeated")
        return sorted(values, key=self.order.index)


class ExactSerializer(serializers.Serializer[Any]):
    """Refuses keys that it does not know: a misspelt setting must not look like a saved one."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        try:
            values: dict[str, Any] = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if unknown and isinstance(error.detail, dict):
                raise serializers.ValidationError({**error.detail, **_refused(unknown)}) from error
            raise
        if unknown:
            raise serializers.ValidationError(_refused(unknown))
        return values


def _refused(names: list[str]) -> dict[str, list[Any]]:
    return {str(name): [_("There is no such field.")] for name in names}
