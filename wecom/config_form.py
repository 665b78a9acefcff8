"""The form of a WeCom app: secrets go in and never come out again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldBooleanSwitchWidget

from config.secret_fields import SecretField, keep_stored, mask_stored
from wecom.crypto import IllegalAesKey, decode_aes_key
from wecom.models import WeComConfig

SECRETS = (
    *("secret", "contact_secret", "callback_token", "encoding_aes_key"),
    *("next_callback_token", "next_encoding_aes_key"),
)
TOKEN_LENGTH = 32
"""Longest callback token that WeCom's console takes (doc 90968)."""


class ConfigForm(forms.ModelForm):
    discard_next = forms.BooleanField(
        label=_("Discard the next pair"), required=False, widget=UnfoldBooleanSwitchWidget()
    )

    class Meta:
        model = WeComConfig
        fields = forms.ALL_FIELDS
        field_classes = dict.fromkeys(SECRETS, SecretField)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mask_stored(self, SECRETS, required=("secret",))

    def _get_validation_exclusions(self) -> set[str]:
        # One app is the default. Marking another one takes the mark over (WeComConfigAdmin), so it is no error.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return {*excluded, "is_default"}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name in ("encoding_aes_key", "next_encoding_aes_key"):
            self._check_aes_key(name, data.get(name) or "")
        for name in ("callback_token", "next_callback_token"):
            token = data.get(name) or ""
            if token and not (token.isascii() and token.isalnum() and len(token) <= TOKEN_LENGTH):
                self.add_error(name, _("Letters and digits only, at most 32."))
        keep_stored(self, SECRETS)
        if data.get("discard_next"):
            data["next_callback_token"] = data["next_encoding_aes_key"] = ""
        return data

    def _check_aes_key(self, name: str, key: str) -> None:
        if not key:
            return
        try:
            decode_aes_key(key)
        except IllegalAesKey:
            self.add_error(name, _("These must be the 43 letters and digits that WeCom shows as EncodingAESKey."))
