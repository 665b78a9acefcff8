"""What the verbs ask, and the input for approvers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from approvals import rules
from approvals.exceptions import InvalidInput
from approvals.models import Flow, Quote
from config.verbs import VerbForm
from wecom.directory import names_of
from wecom.models import Member

MOST_LISTED = 500
"""Members offered for choosing. In a larger company the rest is typed: any userid is taken."""


def member_choices() -> list[tuple[str, str]]:
    members = Member.objects.current().order_by("name").values_list("userid", "name")[:MOST_LISTED]
    return [(userid, f"{name} ({userid})") for userid, name in members]


class _KeepsTyped:
    """Mixed into a select: what was typed or stored stays among the options, chosen ones first and in their order."""

    choices: Iterable[tuple[str, str]]

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> Any:
        offered = dict(self.choices)
        chosen = [(userid, offered.pop(userid, userid)) for userid in dict.fromkeys(value) if userid]
        self.choices = [*chosen, *offered.items()]
        return super().optgroups(name, value, attrs)  # type: ignore[misc]


class UseridsSelect(_KeepsTyped, UnfoldAdminSelect2MultipleWidget):
    class Media:
        js = ("approvals/userids.js",)


class UseridSelect(_KeepsTyped, UnfoldAdminSelect2Widget):
    class Media:
        js = ("approvals/userids.js",)


TYPING = {"data-token-separators": '[",", " ", ";"]', "class": "qb-userids"}


class UseridsField(forms.MultipleChoiceField):
    """Members by userid, in the order of choosing; userids of people who are not listed can be typed."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("Choose members, or type WeCom userids. Their order counts."))
        super().__init__(choices=member_choices, widget=UseridsSelect(attrs=TYPING), **kwargs)

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        try:
            rules.require_userids("userids", value)
        except InvalidInput as error:
            raise forms.ValidationError(error.errors["userids"]) from error

    def valid_value(self, value: str) -> bool:
        return True  # whoever is listed or typed; ``validate`` looks at what was typed

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != list(data or [])


class UseridField(forms.ChoiceField):
    """One member by userid, chosen or typed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=lambda: [("", ""), *member_choices()], widget=UseridSelect(attrs=TYPING), **kwargs)

    def validate(self, value: str) -> None:
        super().validate(value)
        try:
            rules.require_userids("userid", [value])
        except InvalidInput as error:
            raise forms.ValidationError(error.errors["userid"]) from error

    def valid_value(self, value: str) -> bool:
        return True  # as above


FLOWS = [(value, label) for value, label in Flow.choices if value != Flow.WECOM_ENGINE]
"""Flows offered to people. An approval in WeCom's engine is started on a page inside WeCom, not from here."""
COMMENT = _("comment")


def _comment(label: Any = COMMENT, *, required: bool = False) -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
    return forms.CharField(label=label, required=required, max_length=rules.LONGEST_COMMENT, widget=widget)


class CommentForm(VerbForm):
    comment = _comment()


class ReasonForm(VerbForm):
    reason = _comment(_("reason"), required=True)


class SubmitForm(VerbForm):
    flow = forms.ChoiceField(
        label=_("flow"),
        required=False,
        choices=[("", _("As the approval rules say")), *FLOWS],
        widget=UnfoldAdminSelectWidget(),
    )
    approvers = UseridsField(label=_("approvers"), required=False)
    comment = _comment()

    def __init__(self, *args: Any, targets: Sequence[Quote], **kwargs: Any) -> None:
        super().__init__(*args, targets=targets, **kwargs)
        if len(targets) == 1:
            self.fields["flow"].help_text = _plan_in_words(targets[0])


def _plan_in_words(quote: Quote) -> str:
    rule = rules.matching_rule(quote)
    if rule is None:
        return str(_("No approval rule matches: the WeCom template's own flow decides who approves."))
    names = names_of(rule.approvers)
    people = [names.get(userid.casefold(), userid) for userid in rule.approvers]
    return str(_("Rule “%(rule)s”: %(flow)s, %(people)s.")) % {
        "rule": rule.name,
        "flow": rule.get_flow_display(),
        "people": str(_(", ")).join(people) or _("the flow set up in the template"),
    }


class DelegateForm(VerbForm):
    delegate_to = UseridField(label=_("delegate to"))
    comment = _comment()


class CloseConflictForm(VerbForm):
    keep = forms.ChoiceField(
        label=_("which decision stands"),
        choices=[("ours", _("Ours")), ("wecom", _("WeCom's"))],
        widget=UnfoldAdminRadioSelectWidget(),
    )
    reason = _comment(_("reason"), required=True)
