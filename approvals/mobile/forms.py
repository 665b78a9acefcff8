"""What is typed on these pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.rules import LONGEST_COMMENT
from wecom.models import Member


def _text(label: Any, *, required: bool = False, rows: int = 3) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, required=required, max_length=LONGEST_COMMENT, widget=widget)


class AgreeForm(forms.Form):
    """``node``: the place in the chain that the page showed as the visitor's, so that a second tap on the button does
    not decide the next one, too."""

    comment = _text(_("Comment (optional)"), rows=2)
    node = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)


class RejectForm(forms.Form):
    reason = _text(_("Reason"), required=True, rows=4)
    reason.error_messages["required"] = _("A rejection needs a reason.")


class DelegateForm(forms.Form):
    """``offered``: the members that the page lists. One who is not among them cannot be chosen."""

    delegate_to = forms.ChoiceField(
        label=_("Who decides in your place"),
        error_messages={"required": _("Choose a member."), "invalid_choice": _("Choose a member of the list.")},
    )
    comment = _text(_("Comment (optional)"), rows=2)

    def __init__(self, *args: Any, offered: list[Member], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["delegate_to"].choices = [(member.userid, member.name) for member in offered]  # type: ignore[attr-defined]
