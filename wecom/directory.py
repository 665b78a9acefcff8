"""Who is who in WeCom: the public door to members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models.functions import Lower

from wecom.models import Member

_remembered: ContextVar[dict[str, str] | None] = ContextVar("remembered names", default=None)


def member_of(user: Any) -> Member | None:
    """The WeCom member that the staff user ``user`` is linked to."""
    return Member.objects.filter(user_id=user.pk).first()


@contextmanager
def remembering_names() -> Iterator[None]:
    """Inside, each name is looked up once: the events of one drain are about the same few people."""
    token = _remembered.set({})
    try:
        yield
    finally:
        _remembered.reset(token)


def names_of(userids: Iterable[str]) -> dict[str, str]:
    """Display names by folded userid, for those that are known here. Userids compare case-folded (doc 90195)."""
    folded = {userid.casefold() for userid in userids}
    remembered = _remembered.get()
    if remembered is None:
        return _look_up(folded)
    if missing := folded - remembered.keys():
        remembered |= dict.fromkeys(missing, "") | _look_up(missing)
    return {userid: remembered[userid] for userid in folded if remembered[userid]}


def name_of(userid: str) -> str:
    """The display name of one member, also of one who left; the userid where nobody is known by it."""
    return names_of([userid]).get(userid.casefold(), userid)


def _look_up(folded: set[str]) -> dict[str, str]:
    if not folded:
        return {}
    known = Member.objects.annotate(folded=Lower("userid")).filter(folded__in=folded)
    return {member.userid.casefold(): member.name for member in known}
