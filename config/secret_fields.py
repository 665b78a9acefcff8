"""Secrets on forms: they go in and never come out again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from config.sealed import MASK


class SecretField(forms.CharField):
    """Write-only: it renders empty, with a mask in place of a stored secret; left empty, the stored one stays."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["widget"] = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
        super().__init__(**kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


def mask_stored(form: forms.ModelForm, names: Iterable[str], *, required: Collection[str] = ()) -> None:
    """For ``__init__``: show a mask where a secret is stored. ``required``: those that must be given once."""
    for name in names:
        field = form.fields.get(name)
        if field is None:  # people who may only look get no form fields
            continue
        stored = bool(getattr(form.instance, name))
        form.initial[name] = ""
        field.required = name in required and not stored
        field.widget.attrs["placeholder"] = MASK if stored else ""
        if stored:
            field.help_text = " ".join(filter(None, (str(field.help_text), str(_("Leave empty to keep it.")))))


def keep_stored(form: forms.ModelForm, names: Iterable[str]) -> None:
    """For ``clean``: a secret that was left empty stays what it is."""
    for name in names:
        form.cleaned_data[name] = form.cleaned_data.get(name) or getattr(form.instance, name)
