"""Who is who in WeCom: the public door to members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import QuerySet, Subquery
from django.db.models.functions import Lower

from wecom.models import Member, Origin, WeComConfig

_remembered: ContextVar[dict[int | None, dict[str, str]] | None] = ContextVar("remembered names", default=None)


def member_of(user: Any) -> Member | None:
    """The WeCom member that the staff user ``user`` is linked to; ``member.config`` is loaded."""
    return Member.objects.filter(user_id=user.pk).select_related("config").first()


@contextmanager
def remembering_names() -> Iterator[None]:
    """Inside, each name is looked up once: the events of one drain are about the same few people."""
    token = _remembered.set({})
    try:
        yield
    finally:
        _remembered.reset(token)


def names_of(userids: Iterable[str], *, config_id: int | None = None) -> dict[str, str]:
    """Display names by folded userid, for those that are known here. Userids compare case-folded (doc 90195) and mean
    somebody else in another company: only members of the company of app ``config_id`` count, or of the default app's.
    """
    folded = {userid.casefold() for userid in userids}
    remembered = _remembered.get()
    if remembered is None:
        return _look_up(folded, config_id)
    known = remembered.setdefault(config_id, {})
    if missing := folded - known.keys():
        known |= dict.fromkeys(missing, "") | _look_up(missing, config_id)
    return {userid: known[userid] for userid in folded if known[userid]}


def name_of(userid: str, *, config_id: int | None = None) -> str:
    """The display name of one member, also of one who left; the userid where nobody is known by it."""
    return names_of([userid], config_id=config_id).get(userid.casefold(), userid)


def may_be_member(userid: str, *, config_id: int | None = None) -> bool:
    """Whether ``userid`` can be asked for something in the company of app ``config_id``, or of the default app: it is a
    member that has not left, or nobody can tell, because the directory was never read."""
    company = Member.objects.filter(config__corp_id=Subquery(_corp_id(config_id)))
    rows = company.filter(userid__iexact=userid)
    if rows.exists():
        return rows.current().exists()
    return not company.filter(origin=Origin.WECOM).exists()


def _corp_id(config_id: int | None) -> QuerySet[Any, Any]:
    apps = WeComConfig.objects.order_by("-enabled", "-is_default", "pk")
    return (apps.filter(pk=config_id) if config_id is not None else apps).values("corp_id")[:1]


def _look_up(folded: set[str], config_id: int | None) -> dict[str, str]:
    """Several apps of a company may know the same person: a real name wins over a userid in its place, which is what an
    app without the right to names is told, and a current row over one of somebody who left."""
    if not folded:
        return {}
    known = (
        Member.objects.annotate(folded=Lower("userid"))
        .filter(folded__in=folded, config__corp_id=Subquery(_corp_id(config_id)))
        .only("userid", "name", "deleted_at")
    )
    best_last = sorted(known, key=lambda member: (member.name != member.userid, member.deleted_at is None, -member.pk))
    return {member.userid.casefold(): member.name for member in best_last}
