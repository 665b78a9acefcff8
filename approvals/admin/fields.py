"""Inputs for members: chosen from the directory, or typed. Labels as Django writes those of models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2MultipleWidget, UnfoldAdminSelect2Widget

from approvals import chain
from approvals.exceptions import InvalidInput
from wecom.models import Member

MOST_LISTED = 500
"""Members offered for choosing. In a larger company the rest is typed: any userid is taken."""

lazy_capfirst = lazy(lambda label: capfirst(str(label)), str)


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
            chain.require_userids("userids", value)
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
            chain.require_userids("userid", [value] if value else [])
        except InvalidInput as error:
            raise forms.ValidationError(error.errors["userid"]) from error

    def valid_value(self, value: str) -> bool:
        return True  # as above
