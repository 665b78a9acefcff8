"""Who stands in front of these pages: a WeCom member, a staff user, or both in one person."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest

from approvals.actors import Actor
from approvals.models import ApprovalInstance, Channel, Flow
from wecom.directory import member_of, name_of
from wecom.login.members import member_in
from wecom.models import Member


@dataclass(frozen=True, slots=True)
class Visitor:
    """One of the two is there. A member's ``user`` need not be logged in, nor staff; their rights are the user's."""

    user: User | None = None
    member: Member | None = None
    name: str = ""
    """The member's, as the timeline is to have it."""

    @property
    def userid(self) -> str:
        """The member's; empty where a staff user is linked to nobody."""
        return self.member.userid if self.member else ""

    @property
    def key(self) -> str:
        """What tells this visitor from all others, to count by."""
        return f"user-{self.user.pk}" if self.user else f"member-{self.member.pk if self.member else 0}"

    def actor(self, instance: ApprovalInstance) -> Actor:
        """Acting on ``instance``. A quote that is decided here alone counts as decided in WeCom, where these pages are;
        in the other flows WeCom has a form of its own, which still has to be told."""
        channel = Channel.WECOM if instance.flow == Flow.INTERNAL else Channel.INTERNAL
        corp_id = self.member.config.corp_id if self.member else ""
        return Actor(channel, user=self.user, userid=self.userid, name=self.name, corp_id=corp_id)


def identify(request: HttpRequest) -> Visitor | None:
    """Whoever is logged in to the admin, else the member whom WeCom vouched for, else nobody."""
    if admin.site.has_permission(request) and isinstance(request.user, User):
        return Visitor(user=request.user, member=member_of(request.user))
    member = member_in(request)
    if member is None:
        return None
    # an app without the right to names knows userids only; another one of the company may know more
    name = member.name if member.name != member.userid else name_of(member.userid, config_id=member.config_id)
    return Visitor(user=member.user, member=member, name=name)
