"""Who is told about a project: its stakeholders, with what is known of how to reach them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from notifications.announce import Recipient
from projects.models import Role
from wecom.directory import names_of


class HasStakeholders(Protocol):
    @property
    def stakeholders(self) -> list[dict[str, str]]: ...


def recipients_of(project: HasStakeholders, members: Mapping[str, str] | None = None) -> list[Recipient]:
    """The project's stakeholders. ``members``: from ``members_among``, when it was asked for many at once."""
    if members is None:
        members = members_among([project])
    return [_recipient(person, members) for person in project.stakeholders]


def members_among(projects: Iterable[HasStakeholders]) -> dict[str, str]:
    """Names by folded userid of those stakeholders whose ID in the library is their userid in WeCom. One query."""
    return names_of(
        person["user_id"] for project in projects for person in project.stakeholders if _may_be_member(person)
    )


def _may_be_member(person: Mapping[str, str]) -> bool:
    return person["role"] != Role.CUSTOMER and bool(person.get("user_id")) and not person.get("wecom_userid")


def _recipient(person: Mapping[str, str], members: Mapping[str, str]) -> Recipient:
    outside = person["role"] == Role.CUSTOMER
    userid = "" if outside else person.get("wecom_userid", "")
    name = person["name"]
    if _may_be_member(person) and person["user_id"].casefold() in members:
        userid = person["user_id"]
        name = name or members[userid.casefold()]
    return Recipient(
        role=person["role"],
        name=name,
        userid=userid,
        phone=person.get("phone", ""),
        email=person.get("email", ""),
        outside=outside,
    )
