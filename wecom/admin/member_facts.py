"""What WeCom tells of a member, in words. It tells apps made after June 2022 less (doc 90196): unknown is not empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.phones import masked
from wecom.models import Department, Member

EMPTY = "–"
GENDERS = {"1": gettext_lazy("Male"), "2": gettext_lazy("Female")}
EXTRA = {
    "english_name": gettext_lazy("English name"),
    "address": gettext_lazy("Address"),
    "external_position": gettext_lazy("Position shown to customers"),
}
"""Texts in ``Member.extra``; the rest of it are lists of attributes that the company has named itself."""


def unknown() -> str:
    return _("Not told to this app")


def _shown(name: str, say: Callable[[Any], Any] = str) -> Callable[[Any, Member], Any]:
    """A read-only field that tells unknown from empty."""

    @admin.display(description=Member._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    def shown(_admin: Any, member: Member) -> Any:
        value = getattr(member, name)
        return unknown() if value is None else say(value) if value else EMPTY

    return shown


def _link(address: str) -> SafeString | str:
    """WeCom's addresses of pictures. Not shown as pictures: who opens the page would tell WeCom so."""
    if not address.startswith(("https://", "http://")):
        return address
    frame = '<a class="text-link" href="{}" target="_blank" rel="noopener noreferrer">{}</a>'
    return format_html(frame, address, _("Open the picture"))


class MemberFacts:
    """Read-only fields of a member's page."""

    mobile_shown = _shown("mobile")
    mobile_masked = _shown("mobile", masked)
    telephone_masked = _shown("telephone", masked)
    email_shown = _shown("email")
    biz_mail_shown = _shown("biz_mail")
    gender_shown = _shown("gender", lambda gender: GENDERS.get(gender, gender))
    avatar_shown = _shown("avatar", _link)

    @admin.display(description=gettext_lazy("state"))
    def status_shown(self, member: Member) -> str:
        return unknown() if member.status is None else str(member.get_status_display())  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("main department"))
    def main_department_shown(self, member: Member) -> str:
        if member.main_department is None:
            return unknown()
        departments = Department.objects.filter(config=member.config_id, remote_id=member.main_department)
        return str(departments.first() or member.main_department)

    @admin.display(description=Member._meta.get_field("extra").verbose_name)
    def extra_shown(self, member: Member) -> SafeString | str:
        return format_html_join("", "<div>{}: {}</div>", _lines(member.extra)) or EMPTY


SHOWN = tuple(name for name in vars(MemberFacts) if name.endswith(("_shown", "_masked")))


def _lines(extra: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, label in EXTRA.items():
        if extra.get(key):
            yield str(label), str(extra[key])
    for key, attributes in (("extattr", "attrs"), ("external_profile", "external_attr")):
        told = extra.get(key)
        for attribute in told.get(attributes) or () if isinstance(told, dict) else ():
            if isinstance(attribute, dict) and (value := _value(attribute)):
                yield str(attribute.get("name", "")), value


def _value(attribute: Mapping[str, Any]) -> str:
    """Of a text, a page or a mini programme (doc 90195)."""
    for kind, part in (("text", "value"), ("web", "url"), ("miniprogram", "title")):
        told = attribute.get(kind)
        if isinstance(told, dict) and told.get(part):
            return str(told[part])
    return ""
