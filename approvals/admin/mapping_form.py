"""The mapping of a template as one select per field of a quote, offering the template's own controls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from approvals.admin.fields import lazy_capfirst
from approvals.mapping import FIELDS, ITEM_FIELDS, Field, stored_detail
from approvals.models import ApprovalTemplate
from wecom.oa import Control

PREFIX = "control_of__"


def select_name(field: Field) -> str:
    """Name of the form field for one field of a quote."""
    return PREFIX + field.name.replace(".", "__")


class MappingForm(forms.ModelForm):
    """Base of the form; ``form_for`` adds the selects. Without known controls the mapping is edited as JSON."""

    class Meta:
        model = ApprovalTemplate
        fields = ("config", "template_id", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in (*FIELDS, *ITEM_FIELDS):
            if select_name(field) in self.fields:
                self.initial[select_name(field)] = self.instance.mapping.get(field.name, "")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        chosen = {field.name: data.get(select_name(field)) for field in (*FIELDS, *ITEM_FIELDS)}
        if any(name.startswith(PREFIX) for name in self.fields):
            self.instance.mapping = {name: control_id for name, control_id in chosen.items() if control_id}
        return data


def form_for(template: ApprovalTemplate | None) -> type[MappingForm]:
    """The form class for ``template``, with a select for every field that one of its controls can carry."""
    if template is None or not template.controls:
        return MappingForm
    controls = stored_detail(template).controls
    columns = [child for control in controls if control.type == "Table" for child in control.children]
    selects = {select_name(field): _select(field, controls) for field in FIELDS}
    selects |= {select_name(field): _select(field, columns) for field in ITEM_FIELDS if columns}
    return type("TemplateMappingForm", (MappingForm,), selects)


def select_names(template: ApprovalTemplate, fields: Iterable[Field]) -> list[str]:
    """Names of the selects for ``fields`` that the form has."""
    declared = form_for(template).base_fields
    return [select_name(field) for field in fields if select_name(field) in declared]


def _select(field: Field, controls: Iterable[Control]) -> forms.ChoiceField:
    fitting = [(control.id, f"{control.title} ({control.type})") for control in controls if control.type in field.types]
    return forms.ChoiceField(
        label=lazy_capfirst(field.label),
        required=False,
        choices=[("", _("not sent")), *fitting],
        widget=UnfoldAdminSelectWidget(),
    )
