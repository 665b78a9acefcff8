"""The doctor's questions to WeCom: token, trusted address, clock, and the callback through the public address."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.doctor import Result, failed, passed, register_check
from wecom.callback_doctor import examine
from wecom.callback_ips import get_callback_ips
from wecom.client import for_config
from wecom.configs import default_config
from wecom.errors import WeComError
from wecom.models import WeComConfig

UNTRUSTED_ADDRESS = 60020
TIMEOUT = 5.0
CLOCK_TOLERANCE = 60.0
"""Seconds. Callbacks are refused when they are an hour off; long before, searches miss what was just sent."""


def _app() -> WeComConfig | None:
    return default_config()


def _no_app() -> Result:
    return failed(
        _("No WeCom app is set up."),
        _("Add one under “WeCom apps” in admin, or set WECOM_CORP_ID, WECOM_AGENT_ID and WECOM_SECRET."),
    )


def token() -> Result:
    """Whether the app's secret gives an access token."""
    config = _app()
    if config is None:
        return _no_app()
    try:
        for_config(config).tokens.get()
    except WeComError as error:
        return failed(error.sentence, error.remedy)
    return passed(_("WeCom gives an access token for app %(agent)s.") % {"agent": config.agent_id})


def trusted_address() -> Result:
    """Whether WeCom accepts calls from this machine's address (企业可信IP); asked with a call that changes nothing."""
    config = _app()
    if config is None:
        return _no_app()
    try:
        get_callback_ips(for_config(config))
    except WeComError as error:
        if error.errcode == UNTRUSTED_ADDRESS:
            return failed(_("WeCom does not trust this machine's address."), error.remedy)
        return failed(error.sentence, error.remedy)
    return passed(_("WeCom accepts calls from this machine."))


def clock() -> Result:
    """Whether this machine's clock agrees with WeCom's, by the Date of its answer."""
    before = time.time()
    try:
        answer = requests.get(settings.WECOM_API_BASE_URL, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        return failed(
            _("WeCom's host did not answer (%(why)s).") % {"why": type(error).__name__},
            _("Check WECOM_API_BASE_URL, the proxy and the firewall."),
        )
    told = answer.headers.get("Date", "")
    try:
        theirs = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return failed(_("WeCom's host does not say what time it is."), _("Compare this machine's clock by hand."))
    ours = datetime.fromtimestamp((before + time.time()) / 2, UTC)
    off = (ours - theirs).total_seconds()
    if abs(off) > CLOCK_TOLERANCE:
        return failed(
            _("This machine's clock is %(seconds)d seconds off.") % {"seconds": round(off)},
            _("Switch time synchronisation (NTP) on."),
        )
    return passed(_("This machine's clock agrees with WeCom's."))


def callback() -> Result:
    """A verification and an event as WeCom sends them, through the public address."""
    config = _app()
    if config is None:
        return _no_app()
    gravest, said = examine(config).words()[0]
    return passed(said.sentence) if gravest.ok else failed(said.sentence, said.remedy)


register_check("wecom.token", gettext_lazy("WeCom access token"), token, place=60)
register_check("wecom.address", gettext_lazy("Trusted address"), trusted_address, place=100)
# before whatever a wrong clock breaks: tokens seem valid that are not, signatures too old
register_check("wecom.clock", gettext_lazy("Clock"), clock, place=55)
register_check("wecom.callback", gettext_lazy("Callback"), callback, place=80)
