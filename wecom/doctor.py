"""The doctor's questions to WeCom: token, trusted address, clock, and the callback through the public address."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial

import requests
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.doctor import Result, failed, passed, register_check
from wecom.callback_doctor import examine
from wecom.callback_ips import get_callback_ips
from wecom.client import WeComClient, for_config
from wecom.doctor_asking import ALL_TOGETHER, Question, Trouble, apps_to_ask, judge, no_app, put, troubles
from wecom.findings import Words
from wecom.models import WeComConfig

TIMEOUT = 5.0
CLOCK_TOLERANCE = 60.0
"""Seconds. Callbacks are refused when they are an hour off; long before, searches miss what was just sent."""


def token() -> Result:
    """Whether each app's secret gives an access token *now*, whatever is cached."""
    return _ask_each(lambda client: client.tokens.ask_anew(), _("WeCom gives an access token for app %(agents)s."))


def trusted_address() -> Result:
    """Whether WeCom accepts calls from this machine's address (企业可信IP); asked with a call that changes nothing."""
    return _ask_each(get_callback_ips, _("WeCom accepts calls from this machine."))


def _ask_each(ask: Callable[[WeComClient], object], well: str) -> Result:
    """One call for each enabled app, all at once."""
    apps = apps_to_ask()
    if not apps:
        return no_app()
    answers = put([Question(app, "", partial(_in_the_name_of, app, ask)) for app in apps])
    return judge(troubles(answers), well % {"agents": ", ".join(str(app.agent_id) for app in apps)})


def _in_the_name_of(app: WeComConfig, ask: Callable[[WeComClient], object]) -> None:
    ask(for_config(app))


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
    """A verification and an event as WeCom sends them, through the public address of each app that has one."""
    apps = apps_to_ask()
    if not apps:
        return no_app()
    called = [apps[0], *(app for app in apps[1:] if app.callback_token)]
    until, found, well = time.monotonic() + ALL_TOGETHER, [], []
    for app in called:
        if time.monotonic() > until:
            found.append(Trouble(app, "", Words(_("Not asked: the addresses before it took too long."), "")))
            continue
        gravest, said = examine(app).words()[0]
        if gravest.ok:
            well.append(said.sentence)
        else:
            found.append(Trouble(app, "", said))
    return judge(found, " ".join(well))


register_check("wecom.token", gettext_lazy("WeCom access token"), token, place=60)
register_check("wecom.address", gettext_lazy("Trusted address"), trusted_address, place=65)
# before whatever a wrong clock breaks: tokens seem valid that are not, signatures too old
register_check("wecom.clock", gettext_lazy("Clock"), clock, place=55)
register_check("wecom.callback", gettext_lazy("Callback"), callback, place=80)
