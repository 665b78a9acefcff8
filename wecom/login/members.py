"""Members without a staff user: WeCom says who they are, and that opens the pages under MEMBER_PAGES, nothing else.

Nobody is logged in to Django by it. The session holds a member's key, which is looked at anew with every request.
"""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY as LOGGED_IN
from django.http import HttpRequest
from django.middleware.csrf import rotate_token

from wecom.configs import default_config
from wecom.login import identity
from wecom.login.refusals import Refused
from wecom.models import Member

MEMBER_PAGES = "/m/"
"""Where the pages are that members open on their phones. Other apps serve them, and ask here who it is."""
SESSION_KEY = "wecom_member"


def are_let_in_at(address: str) -> bool:
    """Whether ``address`` (a path of this site) is a page for members."""
    return address.startswith(MEMBER_PAGES)


def let_in(request: HttpRequest, member: Member) -> None:
    """Remember ``member`` in a session of its own: whoever used this browser before is out. Raises Refused."""
    identity.require_no_closed_user(member)
    request.session.flush()
    request.session[SESSION_KEY] = member.pk
    rotate_token(request)


def member_in(request: HttpRequest) -> Member | None:
    """Who was let in, if they still would be: a member of the default app's company who is there and active, and whose
    user, if they have been linked to one meanwhile, is active. ``member.user`` and ``member.config`` are loaded.

    A session that somebody logged in to is theirs, and says nothing about members.
    """
    if SESSION_KEY not in request.session or LOGGED_IN in request.session:
        return None
    config = default_config()
    if config is None:
        return None
    known = Member.objects.filter(pk=request.session[SESSION_KEY], config__corp_id=config.corp_id)
    userid = known.values_list("userid", flat=True).first()
    if userid is None:
        return None
    try:
        member = identity.current_member(config, userid)
        identity.require_no_closed_user(member)
    except Refused:
        return None
    return member
