"""WeCom's error codes (errcode), one table: what each means for us, in a sentence, and what a person can do about it.

The table owns one decision, closed by default: only what doc 90313 calls a failure of the system, a limit or a spent
token is repeated. Every other code is permanent, an unknown one too: repeating what WeCom has refused can do harm
(wrong-secret storms block the address for an hour) and hides the reason from the person who could remove it. A new
code is one row here and one in the test.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise
"""A text or its lazy translation."""


class Family(StrEnum):
    RETRY = "retry"
    """The same call may succeed later."""
    TOKEN = "token"  # noqa: S105 - the name of a family
    """The access token is spent: take a new one, repeat once."""
    QUOTA = "quota"
    """Too many calls: leave the endpoint alone for a while."""
    PERMANENT = "permanent"
    """Repeating cannot help."""


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    family: Family
    sentence: Text
    remedy: Text
    pause: float = 0.0
    """Seconds for which the endpoint should be left alone by everybody (family quota)."""
    pause_again: float = 0.0
    """Seconds instead, when that has proved too short; 0: as long again."""


BLOCK_SECONDS = 60.0
"""Length of a per-minute block (doc 90312). The answer does not say which window was hit; this is the shortest."""
LONG_BLOCK_SECONDS = 3600.0
"""Of a per-hour block, which the first call after a per-minute block proves. One that lasts for the day, or a month,
proves itself again every hour."""

IT_REPEATS = _("Nothing to do: the system tries again by itself.")
_REPORT = _("This is a defect in the request: report it together with the hint from the log.")
_FIX_FORM = _("Compare the field mapping with the template in WeCom (button “Suggest mapping”), then retry.")
_FIX_SECRET = _("Enter corp ID and secret again as WeCom shows them (我的企业 → 企业ID; 应用管理 → the app → Secret).")
_FIX_SCOPE = _("Add the person to the app's visible scope (应用管理 → the app → 可见范围), then retry.")
_FIX_PERSON = _("Check the userid in the contacts (通讯录) and the link to the staff user here, then retry.")
_FIX_PERMISSION = _("Give the app this permission in the WeCom console, then retry.")
_ASK_ADMIN = _("Ask the WeCom administrator of the company to look at the app in the console.")
_NEW_LOGIN = _("Open the page again from WeCom to log in anew.")
_LATEST_CARD = _("Act on the newest card of this approval, or in the admin.")

_R, _T, _Q, _P = Family.RETRY, Family.TOKEN, Family.QUOTA, Family.PERMANENT

_ROWS: tuple[tuple[tuple[int, ...], ErrorInfo], ...] = (
    # -- worth repeating (doc 90313) ---------------------------------------------------------------------------------
    ((-1, 301064, 620004), ErrorInfo(_R, _("WeCom is busy or had an internal error."), IT_REPEATS)),
    ((6000, 45035), ErrorInfo(_R, _("Two calls changed the same record in WeCom at the same time."), IT_REPEATS)),
    (
        (301026,),
        ErrorInfo(
            _R,
            _("WeCom could not read the approval or its template."),
            _("The system tries again. If it stays, check in WeCom that the template exists and is enabled."),
        ),
    ),
    (
        (301057,),
        ErrorInfo(
            _R,
            _("WeCom failed while it took the approval, and does not say whether it exists now."),
            _("Nothing to do: the system looks the approval up before it tries again."),
        ),
    ),
    ((301112,), ErrorInfo(_R, _("The time range of a search in WeCom was too large."), IT_REPEATS)),
    ((50100, 60268), ErrorInfo(_R, _("WeCom no longer knows the place in a list that was being read."), IT_REPEATS)),
    # -- limits (doc 90312) ------------------------------------------------------------------------------------------
    ((45009,), ErrorInfo(_Q, _("WeCom's limit of calls was hit."), IT_REPEATS, BLOCK_SECONDS, LONG_BLOCK_SECONDS)),
    ((45033,), ErrorInfo(_Q, _("Too many calls to WeCom at the same time."), IT_REPEATS, pause=5.0)),
    (
        (45036,),
        ErrorInfo(
            _Q, _("WeCom throttles us for unusual traffic."), IT_REPEATS, BLOCK_SECONDS, pause_again=LONG_BLOCK_SECONDS
        ),
    ),
    # -- the access token (doc 91039) --------------------------------------------------------------------------------
    ((40014, 42001), ErrorInfo(_T, _("The access token was no longer valid."), IT_REPEATS)),
    # On a business call one fresh token is tried; on gettoken, or when it stays, it is the configuration.
    ((40001,), ErrorInfo(_T, _("WeCom does not accept the app's secret, or the app is disabled."), _FIX_SECRET)),
    ((41001, 41002, 41004), ErrorInfo(_P, _("The call went out without token, corp ID or secret."), _FIX_SECRET)),
    (
        (40082, 42009),
        ErrorInfo(
            _P,
            _("WeCom expects the token of a third-party suite."),
            _("Use the secret of a self-built app (自建应用); suites are not supported."),
        ),
    ),
    # -- configuration -----------------------------------------------------------------------------------------------
    ((40013,), ErrorInfo(_P, _("WeCom does not know the corp ID."), _FIX_SECRET)),
    ((40091,), ErrorInfo(_P, _("The secret belongs to another company."), _FIX_SECRET)),
    (
        (40056, 301002),
        ErrorInfo(
            _P,
            _("The agent ID is wrong or is not the app that the secret belongs to."),
            _("Copy agent ID and secret from the same app in the console (应用管理)."),
        ),
    ),
    (
        (43012,),
        ErrorInfo(
            _P,
            _("The app has no callback address yet, and this call needs one."),
            _("Set up 接收消息 → 设置API接收 for the app with the callback address of this system."),
        ),
    ),
    ((48001, 48002), ErrorInfo(_P, _("The app may not use this API."), _FIX_PERMISSION)),
    ((48005,), ErrorInfo(_P, _("WeCom has retired this API."), _REPORT)),
    ((48006,), ErrorInfo(_P, _("WeCom withdrew this permission because it was not used."), _FIX_PERMISSION)),
    (
        (48009,),
        ErrorInfo(
            _P,
            _("The contact-sync assistant may not read details from this address."),
            _("Read details with the app's own secret; the assistant only lists IDs since August 2022."),
        ),
    ),
    ((48010,), ErrorInfo(_P, _("The connection's TLS version is too old for WeCom."), _("Update OpenSSL here."))),
    ((50003, 50006), ErrorInfo(_P, _("The app is disabled in WeCom."), _ASK_ADMIN)),
    (
        (60020,),
        ErrorInfo(
            _P,
            _("WeCom does not trust the address this server calls from."),
            _("Add this server's public address to 企业可信IP of the app, wait a minute, then retry."),
        ),
    ),
    ((60031,), ErrorInfo(_P, _("The app is barred from the API."), _ASK_ADMIN)),
    ((301007,), ErrorInfo(_P, _("WeCom says that the company cannot be used."), _ASK_ADMIN)),
    (
        (301055,),
        ErrorInfo(
            _P,
            _("The app may not use approvals, or the applicant is outside its visible scope."),
            _("Add the app under 审批 → 可调用接口的应用, and the applicant to the app's 可见范围; then retry."),
        ),
    ),
    (
        (301056,),
        ErrorInfo(_P, _("The approval app is disabled in WeCom."), _("Enable 审批 in the console, then retry.")),
    ),
    ((301088,), ErrorInfo(_P, _("The app has no permission for this template."), _FIX_PERMISSION)),
    # -- arguments ---------------------------------------------------------------------------------------------------
    ((40003,), ErrorInfo(_P, _("WeCom does not accept a userid."), _FIX_PERSON)),
    ((40008,), ErrorInfo(_P, _("WeCom does not know this kind of message."), _REPORT)),
    ((40032,), ErrorInfo(_P, _("Too many recipients in one call."), _REPORT)),
    ((40033,), ErrorInfo(_P, _("The request holds characters that WeCom does not accept."), _REPORT)),
    ((40035, 40058, 40063, 41011), ErrorInfo(_P, _("A parameter of the call is missing or wrong."), _REPORT)),
    ((40206,), ErrorInfo(_P, _("The request is too large for WeCom."), _("Shorten the quote's texts or items."))),
    ((44004,), ErrorInfo(_P, _("The message has no text."), _("Fill in the message's template."))),
    ((45002,), ErrorInfo(_P, _("The message is too long for WeCom."), _("Shorten the message's template."))),
    ((45029,), ErrorInfo(_P, _("The answer would be too large for WeCom."), _("Ask for one department at a time."))),
    (
        (45034,),
        ErrorInfo(_P, _("A link in the message does not start with http:// or https://."), _("Check API_BASE_URL.")),
    ),
    ((301025,), ErrorInfo(_P, _("WeCom does not accept the approval's data or template ID."), _FIX_FORM)),
    ((301079,), ErrorInfo(_P, _("The leave times of the form clash with another form."), _FIX_FORM)),
    ((301086,), ErrorInfo(_P, _("The template's controls are not as WeCom wants them."), _FIX_FORM)),
    ((301087,), ErrorInfo(_P, _("The company has too many approval templates."), _("Delete unused templates."))),
    (
        (301115,),
        ErrorInfo(_P, _("The template has a print layout of its own and cannot be changed by API."), _ASK_ADMIN),
    ),
    # -- objects -----------------------------------------------------------------------------------------------------
    ((40007,), ErrorInfo(_P, _("The attachment has expired or is of the wrong kind."), _("Attach the file again."))),
    ((40068,), ErrorInfo(_P, _("WeCom does not know the tag."), _ASK_ADMIN)),
    ((40096, 84061), ErrorInfo(_P, _("WeCom does not know this customer of that member."), _FIX_PERSON)),
    ((46004, 60111), ErrorInfo(_P, _("The member does not exist or is outside the app's scope."), _FIX_PERSON)),
    ((60003, 60123), ErrorInfo(_P, _("The department does not exist."), _ASK_ADMIN)),
    ((60011,), ErrorInfo(_P, _("The app has no rights on that member, department or tag."), _FIX_SCOPE)),
    ((60021, 50002, 92000), ErrorInfo(_P, _("The member is outside the app's visible scope."), _FIX_SCOPE)),
    ((81013,), ErrorInfo(_P, _("None of the recipients can be reached by this app."), _FIX_SCOPE)),
    ((82001,), ErrorInfo(_P, _("The message has no recipient."), _FIX_PERSON)),
    ((84074,), ErrorInfo(_P, _("The app may not see customers."), _FIX_PERMISSION)),
    ((701008,), ErrorInfo(_P, _("No member with a licence for this API."), _ASK_ADMIN)),
    # -- log-in ------------------------------------------------------------------------------------------------------
    ((40029, 42022, 42003), ErrorInfo(_P, _("The log-in code is wrong, used or expired."), _NEW_LOGIN)),
    (
        (50001,),
        ErrorInfo(
            _P,
            _("The address to return to after log-in is not trusted by the app."),
            _("Enter this system's host under 网页授权及JS-SDK → 可信域名 of the app."),
        ),
    ),
    ((84014, 84015, 84025), ErrorInfo(_P, _("The log-in ticket or state is wrong or expired."), _NEW_LOGIN)),
    # -- cards -------------------------------------------------------------------------------------------------------
    ((42014,), ErrorInfo(_P, _("The card's task ID was used before, or is missing or badly written."), _REPORT)),
    ((42015, 42016), ErrorInfo(_P, _("WeCom does not know this card as one of the app's."), _LATEST_CARD)),
    (
        (*range(42017, 42021), *range(42027, 42052)),
        ErrorInfo(_P, _("A field of the card is missing, too long or wrong."), _REPORT),
    ),
    ((42052,), ErrorInfo(_P, _("A message cannot be recalled after 24 hours."), _LATEST_CARD)),
    ((60140,), ErrorInfo(_P, _("The card was already updated or is older than 72 hours."), _LATEST_CARD)),
    ((82101, 82102), ErrorInfo(_P, _("None of the card's recipients can be updated."), _FIX_PERSON)),
    # -- JS-SDK ------------------------------------------------------------------------------------------------------
    ((40093, 49004), ErrorInfo(_P, _("The page's signature is wrong."), _("Check API_BASE_URL and 可信域名."))),
    ((42012, 91040), ErrorInfo(_P, _("The page was signed with the wrong kind of ticket."), _REPORT)),
    ((92002,), ErrorInfo(_P, _("The page belongs to another company."), _FIX_SECRET)),
)

TABLE: dict[int, ErrorInfo] = {code: info for codes, info in _ROWS for code in codes}

UNKNOWN = ErrorInfo(
    _P,
    _("WeCom refused the call with a code that this system does not know."),
    _("Look the code up at developer.work.weixin.qq.com (全局错误码), remove the cause, then retry."),
)


def describe(errcode: int) -> ErrorInfo:
    """Family, sentence and remedy of an errcode ≠ 0. Unknown codes are permanent (see the module)."""
    return TABLE.get(errcode, UNKNOWN)
