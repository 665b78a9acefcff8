"""Why somebody is not logged in: for each reason what is missing, what to do about it, and an HTTP status."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from wecom.errcodes import Text
from wecom.errors import PermanentError, WeComError, describe


@dataclass(eq=False)
class Refused(Exception):
    """``outcome``: one word for the log. ``userid``: who it is according to WeCom, where that is known."""

    outcome: str
    sentence: Text
    remedy: Text
    status: int = 403
    userid: str = ""
    reference: str = ""
    """What WeCom's support would ask for."""


_READ_AGAIN = _("If that is wrong, ask whoever looks after “Members” in the admin to read the directory again.")
_TRY_AGAIN = _("Press “Try again”.")


def not_set_up() -> Refused:
    return Refused(
        "not_set_up",
        _("Logging in with WeCom is not set up here."),
        _("Log in with your password. To set it up, somebody adds the WeCom app under “WeCom apps” in the admin."),
        status=404,
    )


def bad_state() -> Refused:
    return Refused(
        "bad_state",
        _("This log-in was begun in another browser, took longer than ten minutes, or was finished before."),
        _TRY_AGAIN,
        status=400,
    )


def bad_code(reference: str = "") -> Refused:
    return Refused(
        "bad_code",
        _("WeCom did not confirm this log-in: its code was missing, used before, or too old."),
        _TRY_AGAIN,
        status=400,
        reference=reference,
    )


def too_many() -> Refused:
    return Refused(
        "too_many",
        _("Too many log-ins from your address within a minute."),
        _("Wait a minute, then press “Try again”."),
        status=429,
    )


def not_a_member() -> Refused:
    return Refused(
        "not_a_member",
        _("WeCom says that you are not a member of this company."),
        _("Log in with your WeCom account of this company, not with WeChat or as another company's member."),
    )


def unknown_member(userid: str) -> Refused:
    return Refused(
        "unknown_member",
        format_lazy(_("WeCom knows you as {userid}, but there is no such member in this system."), userid=userid),
        _(
            "You must be in the app's visible scope (可见范围). Ask whoever looks after “Members” in the admin to read "
            "the directory again, or to add you."
        ),
        userid=userid,
    )


def left(userid: str) -> Refused:
    return Refused(
        "left",
        format_lazy(_("According to the directory, the member {userid} has left the company."), userid=userid),
        _READ_AGAIN,
        userid=userid,
    )


def not_active(userid: str) -> Refused:
    return Refused(
        "not_active",
        format_lazy(_("According to the directory, the member {userid} is not active in WeCom."), userid=userid),
        _READ_AGAIN,
        userid=userid,
    )


def not_linked(userid: str) -> Refused:
    return Refused(
        "not_linked",
        format_lazy(_("No staff user of this system is linked to you, the WeCom member {userid}."), userid=userid),
        _("Ask whoever looks after “Members” in the admin to choose your staff user there."),
        userid=userid,
    )


def no_staff_user(userid: str) -> Refused:
    return Refused(
        "no_staff_user",
        format_lazy(_("The user that is linked to the WeCom member {userid} may not log in here."), userid=userid),
        _("Ask whoever manages people and access to tick “Active” and “Staff status” at your user."),
        userid=userid,
    )


def wecom_trouble(error: WeComError) -> Refused:
    """WeCom could not be asked, or refused us. The remedy is the table's: ``error``'s own may name addresses."""
    if isinstance(error, PermanentError):
        remedy = error.remedy if error.errcode is None else describe(error.errcode).remedy
        tell = format_lazy(_("For whoever looks after the WeCom app: {remedy}"), remedy=remedy)
        return Refused("wecom_refuses", error.sentence, tell, status=503, reference=error.reference)
    return Refused(
        "wecom_away",
        error.sentence,
        _("Wait a moment, then press “Try again”. Superusers can log in with their password meanwhile."),
        status=503,
        reference=error.reference,
    )
