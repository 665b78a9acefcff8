"""The page on which a conflict is settled."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminRadioSelectWidget

from approvals.admin.forms import ReasonForm
from approvals.admin.words import OUTCOME_TONES, action_label, what_wecom_said
from approvals.conflicts import dispute_of
from approvals.models import ApprovalInstance, ApprovalTimeline
from approvals.words import STATUS_TONES
from config.admin_links import page_of

SIDES = {"ours": _("Ours: %(status)s"), "wecom": _("WeCom's: %(status)s")}


class _Radios(UnfoldAdminRadioSelectWidget):
    """Radio buttons of which some cannot be pressed."""

    barred: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.barred:
            option["attrs"]["disabled"] = True
        return option


class CloseConflictForm(ReasonForm):
    keep = forms.ChoiceField(label=_("which decision stands"), widget=_Radios())
    field_order = ("keep", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        instance: Any = self.targets[0]
        dispute = dispute_of(instance) if instance.conflict else None  # else the engine says that there is none
        self._choices = {choice.keep: choice for choice in (dispute.ours, dispute.wecom)} if dispute else {}
        field: Any = self.fields["keep"]
        field.choices = [
            (keep, SIDES[keep] % {"status": choice.label} if choice else keep)
            for keep, choice in ((keep, self._choices.get(keep)) for keep in SIDES)
        ]
        field.widget.barred = frozenset(keep for keep, choice in self._choices.items() if choice.barred)
        field.help_text = " ".join(choice.barred for choice in self._choices.values() if choice.barred)

    def clean_keep(self) -> str:
        keep: str = self.cleaned_data["keep"]
        if keep in self._choices and self._choices[keep].barred:
            raise forms.ValidationError(self._choices[keep].barred)
        return keep


def conflict_context(instance: ApprovalInstance) -> dict[str, Any]:
    """Context of ``approvals/conflict.html``."""
    dispute = dispute_of(instance)
    return {
        "evidence_template": "approvals/conflict.html",
        "approval": instance,
        "approval_url": page_of(instance),
        "quote_url": page_of(instance.quote),
        "dispute": dispute,
        "ours_tone": STATUS_TONES[dispute.ours.state],
        "wecom_tone": STATUS_TONES[dispute.wecom.state],
        "here": [_line(entry) for entry in dispute.here],
        "told": [_line(entry) for entry in dispute.told],
    }


def _line(entry: ApprovalTimeline) -> dict[str, Any]:
    return {
        "entry": entry,
        "action": action_label(entry.action),
        "tone": OUTCOME_TONES[entry.outcome],
        "said": what_wecom_said(entry),
    }
