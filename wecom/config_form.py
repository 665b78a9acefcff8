"""The form of a WeCom app: secrets go in and never come out again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldBooleanSwitchWidget

from config.secret_fields import SecretField, keep_stored, mask_stored
from wecom.credential_rules import check_aes_key, check_token
from wecom.models import WeComConfig

SECRETS = (
    *("secret", "contact_secret", "callback_token", "encoding_aes_key"),
    *("next_callback_token", "next_encoding_aes_key"),
    *("contact_callback_token", "contact_encoding_aes_key"),
)
CHECKS = {
    "callback_token": check_token,
    "encoding_aes_key": check_aes_key,
    "next_callback_token": check_token,
    "next_encoding_aes_key": check_aes_key,
    "contact_callback_token": check_token,
    "contact_encoding_aes_key": check_aes_key,
}


class ConfigForm(forms.ModelForm):
    discard_next = forms.BooleanField(
        label=_("Discard the next pair"), required=False, widget=UnfoldBooleanSwitchWidget()
    )

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    """When what the page shows was saved: a page that is out of date would undo what somebody else has saved since."""

    class Meta:
        model = WeComConfig
        fields = forms.ALL_FIELDS
        field_classes = dict.fromkeys(SECRETS, SecretField)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mask_stored(self, SECRETS, required=("secret",))
        self.initial["seen"] = self.instance.updated_at.isoformat() if self.instance.pk else ""

    def _get_validation_exclusions(self) -> set[str]:
        # One app is the default. Marking another one takes the mark over (WeComConfigAdmin), so it is no error.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return {*excluded, "is_default"}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name, check in CHECKS.items():
            try:
                check(data.get(name) or "")
            except ValidationError as error:
                self.add_error(name, error)
        keep_stored(self, SECRETS)
        if data.get("discard_next"):
            data["next_callback_token"] = data["next_encoding_aes_key"] = ""
        return data

    def clean_seen(self) -> str:
        seen: str = self.cleaned_data["seen"]
        if seen not in ("", self.initial["seen"]):
            self.add_error(None, _("It has changed since you opened the page. Look at it again."))
        return seen
