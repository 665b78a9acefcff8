"""Who acts, and through which channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from approvals.models import Channel
from wecom.directory import member_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True, slots=True)
class Actor:
    """``channel``: how the word reached us (``Channel``). ``user`` is None for people known by WeCom only and for
    the system itself; ``userid`` is the WeCom member, empty where none is linked."""

    channel: str
    user: User | None = None
    userid: str = ""
    name: str = ""
    corp_id: str = ""
    """The company of the member. Empty where WeCom itself says who acts: then it is that of what they act on."""

    def userid_in(self, corp_id: str) -> str:
        """The userid as one of that company (empty: of any); in another one the same userid is somebody else."""
        return self.userid if not corp_id or self.corp_id in ("", corp_id) else ""

    @property
    def label(self) -> str:
        """How the timeline names the actor."""
        if self.user is not None:
            return self.user.get_full_name() or self.user.get_username()
        return self.name or self.userid

    def may(self, permission: str) -> bool:
        """Whether the actor's user holds ``permission`` (``app.codename``)."""
        return self.user is not None and self.user.is_active and self.user.has_perm(permission)


SYSTEM = Actor(channel=Channel.SYSTEM, name="system")


def actor_for(user: Any, channel: str) -> Actor:
    """The logged-in ``user`` acting through ``channel``, with the linked WeCom member's userid."""
    member = member_of(user)
    if member is None:
        return Actor(channel=channel, user=user)
    return Actor(channel=channel, user=user, userid=member.userid, corp_id=member.config.corp_id)
