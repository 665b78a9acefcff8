"""Who of our users a member may be: a suggestion, which a person confirms in admin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from wecom.directory_sync.apply import CHUNK
from wecom.models import Member, WeComConfig

Suggestions = dict[int, int]
"""Member → user, by primary keys."""


def suggest(config: WeComConfig) -> int:
    """Note the suggestions for current members without a user, and take back what no longer holds; returns how many
    have changed.

    A userid that is a username counts more than an email address. What fits two members or two users suggests nothing.
    """
    members = Member.objects.current().filter(config=config, user=None)
    stored = dict(
        Member.objects.filter(config=config, suggested_user__isnull=False).values_list("pk", "suggested_user")
    )
    wanted = _wanted(members)
    changed = [
        Member(pk=pk, suggested_user_id=wanted.get(pk))
        for pk in stored.keys() | wanted.keys()
        if stored.get(pk) != wanted.get(pk)
    ]
    Member.objects.bulk_update(changed, ["suggested_user"], batch_size=CHUNK)
    return len(changed)


def confirm(members: QuerySet[Member]) -> int:
    """Link ``members`` to the users suggested for them; returns how many. A user that is linked meanwhile is left."""
    linked = 0
    for member in members.filter(user=None, suggested_user__isnull=False):
        if not Member.objects.filter(user=member.suggested_user).exists():
            member.user_id, member.suggested_user_id = member.suggested_user_id, None
            member.save(update_fields=["user", "suggested_user"])
            linked += 1
    return linked


def _wanted(members: QuerySet[Member]) -> Suggestions:
    users = get_user_model()._default_manager.filter(is_active=True, wecom_member=None)
    names, addresses = _by(users, "username"), _by(users, "email")
    by_name = _fitting(members.annotate(folded=Lower("userid")), ("folded",), names)
    left = {value: user for value, user in addresses.items() if user not in by_name.values()}
    by_mail = members.annotate(mail=Lower("email"), work_mail=Lower("biz_mail"))
    return _fitting(by_mail, ("mail", "work_mail"), left) | by_name


def _by(users: QuerySet[Any], field: str) -> dict[str, int]:
    """Folded value → user; without what two users have."""
    return _unambiguous((value.lower(), pk) for value, pk in users.values_list(field, "pk") if value)


def _fitting(members: QuerySet[Any], fields: tuple[str, ...], users: dict[str, int]) -> Suggestions:
    pairs: set[tuple[int, int]] = set()
    values = sorted(users)
    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK]
        among = Q()
        for field in fields:
            among |= Q(**{f"{field}__in": chunk})
        for pk, *found in members.filter(among).values_list("pk", *fields):
            pairs.update((users[value], pk) for value in found if value in users)
    by_user = _unambiguous(pairs)
    return _unambiguous((member, user) for user, member in by_user.items())


def _unambiguous(pairs: Iterable[tuple[Any, int]]) -> dict[Any, int]:
    """What has exactly one partner."""
    found: dict[Any, int | None] = {}
    for key, value in pairs:
        found[key] = value if found.get(key, value) == value else None
    return {key: value for key, value in found.items() if value is not None}
