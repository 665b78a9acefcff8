"""Who is who in WeCom: the public door to members."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from django.db.models.functions import Lower
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from wecom.models import Member

FRESH_FOR = 60.0
"""Seconds for which a process remembers a name: every event of an approval asks for the same two or three."""
MOST_NAMES = 10_000

_names: dict[str, tuple[float, str]] = {}


def member_of(user: Any) -> Member | None:
    """The WeCom member that the staff user ``user`` is linked to."""
    return Member.objects.filter(user_id=user.pk).first()


def names_of(userids: Iterable[str]) -> dict[str, str]:
    """Display names by folded userid, for those that are known here. Userids compare case-folded (doc 90195)."""
    wanted = {userid.casefold() for userid in userids}
    now = time.monotonic()
    found = {userid: _names[userid][1] for userid in wanted if userid in _names and now < _names[userid][0]}
    missing = wanted - found.keys()
    if missing:
        known = Member.objects.annotate(folded=Lower("userid")).filter(folded__in=missing)
        looked_up = {member.userid.casefold(): member.name for member in known}
        if len(_names) + len(looked_up) > MOST_NAMES:
            _names.clear()
        _names.update({userid: (now + FRESH_FOR, name) for userid, name in looked_up.items()})
        found |= looked_up
    return found


@receiver([post_save, post_delete], sender=Member)
def forget_names(**_: Any) -> None:
    """Look again the next time. Other processes do so within ``FRESH_FOR`` seconds."""
    _names.clear()
