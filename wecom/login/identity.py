"""From WeCom's code to the person here."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from wecom.client import for_config
from wecom.errcodes import IT_REPEATS
from wecom.errors import PermanentError, RetryableError
from wecom.login import refusals
from wecom.login.policy import ACTIVE, LEFT
from wecom.models import Member, WeComConfig

REFUSED_CODES = frozenset({40029, 42022, 42003})
"""Invalid, used, expired (doc 91023)."""
LONGEST_CODE = 512
"""Bytes (doc 91023)."""


def userid_for(config: WeComConfig, code: str) -> str:
    """Who came with ``code`` (``auth/getuserinfo``, docs 91023 and 98176). Raises Refused and WeComError."""
    if not code or len(code) > LONGEST_CODE or not (code.isascii() and code.isprintable()):
        raise refusals.bad_code()
    try:
        answer = for_config(config).get("auth/getuserinfo", {"code": code})
    except PermanentError as error:
        if error.errcode in REFUSED_CODES:
            raise refusals.bad_code(error.reference) from None
        raise
    userid = answer.get("userid")
    if isinstance(userid, str) and userid:
        if "/" in userid:  # CorpId/userid: of a linked company
            raise refusals.not_a_member()
        return userid
    if answer.get("openid") or answer.get("external_userid"):
        raise refusals.not_a_member()
    raise RetryableError(_("WeCom's answer does not say who you are."), remedy=IT_REPEATS, endpoint="auth/getuserinfo")


def current_member(config: WeComConfig, userid: str) -> Member:
    """The member ``userid`` of the app's company, active as far as is known, with user and app loaded. Raises Refused.

    WeCom names members outside the app's scope too (doc 91023): the directory decides, not WeCom's answer.
    """
    rows = Member.objects.filter(config__corp_id=config.corp_id).annotate(folded=Lower("userid"))
    candidates = list(rows.filter(folded=userid.lower()).select_related("user", "config"))
    if not candidates:
        raise refusals.unknown_member(userid)
    # several apps may each have read the company's directory; the row that somebody linked speaks for the person
    member = min(candidates, key=lambda row: (row.user_id is None, row.config_id != config.pk))
    if member.deleted_at is not None or member.status == LEFT:
        raise refusals.left(userid)
    if member.status not in (None, ACTIVE):
        raise refusals.not_active(userid)
    return member


def is_staff(member: Member) -> bool:
    """Whether the member is linked to a user who may be logged in."""
    return member.user is not None and member.user.is_active and member.user.is_staff


def staff_user(member: Member) -> User:
    """The staff user whom the member is linked to. Raises Refused."""
    if member.user is None:
        raise refusals.not_linked(member.userid)
    if not is_staff(member):
        raise refusals.no_staff_user(member.userid)
    return member.user


def require_no_closed_user(member: Member) -> None:
    """Whoever closed the user meant the person: what it could not do, the member cannot either. Raises Refused."""
    if member.user is not None and not member.user.is_active:
        raise refusals.no_staff_user(member.userid)
