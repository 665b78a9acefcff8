"""Who is who in WeCom: the public door to members."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models.functions import Lower

from wecom.models import Member


def member_of(user: Any) -> Member | None:
    """The WeCom member that the staff user ``user`` is linked to."""
    return Member.objects.filter(user_id=user.pk).first()


def names_of(userids: Iterable[str]) -> dict[str, str]:
    """Display names by folded userid, for those that are known here. Userids compare case-folded (doc 90195)."""
    folded = {userid.casefold() for userid in userids}
    if not folded:
        return {}
    known = Member.objects.annotate(folded=Lower("userid")).filter(folded__in=folded)
    return {member.userid.casefold(): member.name for member in known}
