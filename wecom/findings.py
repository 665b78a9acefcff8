"""What the callback doctor and the probe can find, as words that are kept: sentence and remedy follow when it is read,
in the reader's language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wecom.errcodes import IT_REPEATS, Text


@dataclass(frozen=True, slots=True)
class Finding:
    """``ok`` None: could not be told. ``detail`` is the same in every language: a number, a status, an address."""

    code: str
    ok: bool | None = False
    detail: str = ""


class Words(NamedTuple):
    sentence: str
    remedy: str = ""


_ADDRESS = _("Check the address (WECOM_CALLBACK_URL of the default app, API_BASE_URL of the others) and the DNS.")
_LISTENS = _("Check the address, the web server, the reverse proxy in front of it, and the firewall.")
_ENTER_PAIR = _("Enter token and EncodingAESKey of the callback at the WeCom app.")
_ANOTHER = _(
    "The address leads to another system or another app. Make the reverse proxy send it to this system, and check that "
    "web processes were restarted after FIELD_ENCRYPTION_KEYS or the database changed."
)
_UNCHANGED = _("Let the reverse proxy pass the answer on as it is: no rewriting, no minifying, no error pages.")
_PROXY_LOG = _("Look at the reverse proxy's log and settings: the request did not come through to this system.")
_TABLE: dict[str, tuple[Text, Text]] = {
    # -- before anything is sent -------------------------------------------------------------------------------------
    "no_credentials": (_("Callback token and EncodingAESKey are not entered."), _ENTER_PAIR),
    "bad_key": (_("The EncodingAESKey is not the 43 letters and digits that WeCom shows."), _ENTER_PAIR),
    "sealed": (
        _("The stored secrets of this app cannot be opened."),
        _("Enter the secret again, or put the lost key back into FIELD_ENCRYPTION_KEYS."),
    ),
    "disabled": (_("The app is disabled here, so its callbacks are refused."), _("Enable the app.")),
    "bad_url": (_("%(url)s is no address that can be called."), _ADDRESS),
    "private": (
        _("%(url)s can only be reached from inside, and WeCom calls from the internet."),
        _("Set WECOM_CALLBACK_URL or API_BASE_URL to the public address."),
    ),
    # -- no answer ---------------------------------------------------------------------------------------------------
    "unknown_host": (_("The name in %(url)s cannot be resolved."), _ADDRESS),
    "refused": (_("Nobody listens at %(url)s."), _LISTENS),
    "unreachable": (_("%(url)s cannot be reached (%(detail)s)."), _LISTENS),
    "timeout": (_("%(url)s did not answer within %(detail)s s; WeCom waits one second."), _LISTENS),
    "tls": (
        _("The certificate of %(url)s is not trusted: %(detail)s."),
        _("Install a certificate that fits the name, has not expired, and comes with its intermediate certificates."),
    ),
    "broken": (_("%(url)s closed the connection without an answer."), _LISTENS),
    # -- an answer of somebody else ----------------------------------------------------------------------------------
    "redirect": (
        _("%(url)s redirects (%(detail)s); WeCom does not follow."),
        _("Enter the address in WeCom that is answered directly, and set WECOM_CALLBACK_URL or API_BASE_URL to it."),
    ),
    "redirect_slash": (
        _("%(url)s redirects to its spelling with or without the slash at the end; WeCom does not follow."),
        _("Make the reverse proxy pass on both spellings, or enter the other one in WeCom and here."),
    ),
    "barred": (
        _("%(url)s wants a log-in or bars the request (HTTP status %(detail)s)."),
        _("Exempt the callback address from log-in pages, firewalls and bot protection: WeCom has only its signature."),
    ),
    "not_found": (_("%(url)s is not known there (HTTP status %(detail)s)."), _PROXY_LOG),
    "gateway": (
        _("The reverse proxy at %(url)s does not reach this system (HTTP status %(detail)s)."),
        _("Start the web processes, and check where the proxy sends the requests."),
    ),
    "status": (_("%(url)s answered with HTTP status %(detail)s."), _PROXY_LOG),
    "something_else": (
        _("%(url)s answered with something else than the decrypted text (%(detail)s)."),
        _("Check that the address leads to this system and that no proxy changes the answer."),
    ),
    "raw_echo": (_("%(url)s sent the encrypted text back instead of the decrypted one."), _ANOTHER),
    "quotes": (_("%(url)s puts quotes around the answer."), _UNCHANGED),
    "bom": (_("%(url)s puts a byte order mark before the answer."), _UNCHANGED),
    "newline": (_("%(url)s adds a line break or blanks to the answer."), _UNCHANGED),
    "slow": (
        _("%(url)s took %(detail)s s; WeCom waits one second."),
        _("Look for what is slow between the public address and this system."),
    ),
    # -- an answer of a system like this -----------------------------------------------------------------------------
    "unknown_address": (_("The system at %(url)s has no enabled app for this address."), _ANOTHER),
    "no_credentials_there": (_("The system at %(url)s has no callback credentials for this address."), _ANOTHER),
    "wrong_token": (_("The system at %(url)s has another callback token."), _ANOTHER),
    "wrong_key": (_("The system at %(url)s has another EncodingAESKey."), _ANOTHER),
    "wrong_corp": (_("The system at %(url)s belongs to another corp ID."), _ANOTHER),
    "clock": (_("The clocks of this machine and of %(url)s differ by an hour or more."), _("Switch NTP on.")),
    "refused_otherwise": (_("The system at %(url)s refused: %(detail)s"), _ANOTHER),
    "next_pair": (
        _("%(url)s accepts the present pair of credentials but not the next one."),
        _("Enter the next token and EncodingAESKey again before you change them in WeCom."),
    ),
    "contact_pair": (
        _("%(url)s accepts the app's credentials but not the sync assistant's."),
        _("Restart the web processes. If that does not help, enter the sync assistant's pair again."),
    ),
    "contact_half": (
        _("Of the sync assistant only the token or only the EncodingAESKey is entered, so its callbacks are refused."),
        _("Enter both as 管理工具 → 通讯录同步 → 设置接收事件服务器 shows them."),
    ),
    # -- what happened on the way ------------------------------------------------------------------------------------
    "plus_changed": (
        _("Something in front of %(url)s changes “+” in addresses, so that signatures no longer fit."),
        _("Let the reverse proxy pass the query on undecoded (nginx: proxy_pass without a path)."),
    ),
    "plus_repaired": (
        _("Something in front of %(url)s changes “+” in addresses. This system puts it right."),
        _("Let the reverse proxy pass the query on undecoded (nginx: proxy_pass without a path)."),
    ),
    "post_refused": (
        _("%(url)s accepts the verification (GET) but refuses events (POST): HTTP status %(detail)s."),
        _("Allow POST with an XML body of up to 1 MiB at the reverse proxy and its firewall."),
    ),
    "post_changed": (_("%(url)s does not answer an event with “success” but: %(detail)s"), _UNCHANGED),
    "verified": (_("%(url)s passes WeCom's verification and takes events (%(detail)s s)."), ""),
    # -- the probe ---------------------------------------------------------------------------------------------------
    "works": (_("Works."), ""),
    "no_template": (_("No approval template is entered."), _("Enter the template ID at the app, or use rules.")),
    "no_department": (
        _("The app sees no department."),
        _("Add departments to the app's visible scope (应用管理 → the app → 可见范围)."),
    ),
    "no_follower": (
        _("No member may have customers."),
        _("Add members under 客户联系 → 权限配置 → 使用范围, and to the app's 可见范围."),
    ),
    "after_token": (_("Not asked: there is no access token."), ""),
    "after_address": (_("Not asked: WeCom does not trust this server's address."), ""),
    "too_slow": (_("Not asked: WeCom answered too slowly."), IT_REPEATS),
}


def words(code: str, *, detail: str = "", url: str = "") -> Words:
    """Sentence and remedy of a finding. Any other code is kept with its own sentence in ``detail`` (a message id)."""
    if code not in _TABLE:
        return Words(gettext(detail) if detail else "")
    sentence, remedy = _TABLE[code]
    values = {"detail": gettext(detail) if detail else "", "url": url}
    return Words(str(sentence) % values, str(remedy))
