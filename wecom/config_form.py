"""The form of a WeCom app: secrets go in and never come out again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from config.sealed import MASK
from wecom.crypto import IllegalAesKey, decode_aes_key
from wecom.models import WeComConfig

SECRETS = ("secret", "callback_token", "encoding_aes_key", "next_callback_token", "next_encoding_aes_key")
TOKEN_LENGTH = 32
"""Longest callback token that WeCom's console takes (doc 90968)."""


class SecretField(forms.CharField):
    """Write-only: it renders empty, with a mask in place of a stored secret; left empty, the stored one stays."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["widget"] = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
        super().__init__(**kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


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
        for name in SECRETS:
            field = self.fields.get(name)
            if field is None:  # people who may only look get no form fields
                continue
            stored = bool(getattr(self.instance, name))
            self.initial[name] = ""
            field.required = name == "secret" and not stored
            field.widget.attrs["placeholder"] = MASK if stored else ""
            if stored:
                field.help_text = " ".join(filter(None, (str(field.help_text), str(_("Leave empty to keep it.")))))

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
        for name in SECRETS:
            data[name] = data.get(name) or getattr(self.instance, name)
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
