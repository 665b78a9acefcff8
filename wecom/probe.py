"""What an app may do at WeCom, found out with calls that change nothing.

WeCom has no call that lists an app's rights, and its console spreads them over five pages. So each right is tried: a
search over one minute, a template that is only read, a message to nobody. What was found is kept as a code; sentence
and remedy follow when it is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.sealed import SealBroken
from wecom import callback_doctor
from wecom.callback_ips import get_callback_ips
from wecom.client import WeComClient, for_config
from wecom.configs import callback_url
from wecom.directory_api import list_department_ids
from wecom.errcodes import Text
from wecom.errors import PermanentError, WeComError, error_for
from wecom.findings import Finding, Words, words
from wecom.messages import NO_RECIPIENT
from wecom.models import Capability, CapabilityResult, WeComConfig
from wecom.oa import get_template_detail

LONGEST = 20.0
"""Seconds after which nothing more is asked: a person is waiting."""
NOBODY = "quotebridge-probe-nobody"
"""A userid that no company has. That it cannot be reached is the answer of an app that may send."""
NOBODY_REACHED = frozenset({NO_RECIPIENT, 81013})
UNTRUSTED_ADDRESS = 60020
WORKS = Finding("works", True)

PLACES: dict[Capability, Text] = {
    Capability.TOKEN: _("我的企业 → 企业ID; 应用管理 → the app → AgentId, Secret"),
    Capability.TRUSTED_IP: _("应用管理 → the app → 企业可信IP"),
    Capability.APPROVALS: _("应用管理 → 审批 → 可调用接口的应用"),
    Capability.TEMPLATE: _("应用管理 → 审批 → the template; its ID is in the address of the page that edits it"),
    Capability.MESSAGES: _("应用管理 → the app → 可见范围"),
    Capability.CARDS: _("应用管理 → the app → 接收消息 → 设置API接收"),
    Capability.DIRECTORY: _("应用管理 → the app → 可见范围"),
    Capability.CUSTOMERS: _("客户联系 → 可调用接口的应用; 客户联系 → 权限配置 → 使用范围"),
    Capability.CALLBACK: _("应用管理 → the app → 接收消息 → 设置API接收"),
}
"""Where in WeCom's console the right is given."""


@dataclass(frozen=True, slots=True)
class Probed:
    """As CapabilityResult keeps it."""

    capability: Capability
    ok: bool | None
    errcode: int | None = None
    finding: str = ""
    detail: str = ""


def probe(config: WeComConfig, capabilities: Iterable[Capability] = Capability) -> Iterator[Probed]:
    """Ask WeCom about each capability, in the order of the matrix. Takes LONGEST and one call at most.

    ``config`` need not be saved, but for Capability.CALLBACK, which belongs to a saved app.
    """
    until = time.monotonic() + LONGEST
    barred = ""
    for capability in capabilities:
        if capability is Capability.CALLBACK:
            found = _callback(config)
        elif barred or time.monotonic() > until:
            found = _kept(capability, Finding(barred or "too_slow", None))
        else:
            found = _ask(capability, config)
        barred = barred or _bars_the_rest(found)
        yield found


def _bars_the_rest(found: Probed) -> str:
    """Who is refused at the door is not asked seven times more what they may do inside."""
    if found.capability is Capability.TOKEN and not found.ok:
        return "after_token"
    return "after_address" if found.errcode == UNTRUSTED_ADDRESS else ""


def probe_and_keep(config: WeComConfig) -> list[Probed]:
    """``probe``, and what it found in the place of what was known before."""
    found = _with_address(list(probe(config)))
    now = timezone.now()
    CapabilityResult.objects.bulk_create(
        (
            CapabilityResult(
                config=config,
                capability=one.capability,
                ok=one.ok,
                errcode=one.errcode,
                finding=one.finding,
                detail=one.detail,
                checked_at=now,
            )
            for one in found
        ),
        update_conflicts=True,
        unique_fields=["config", "capability"],
        update_fields=["ok", "errcode", "finding", "detail", "checked_at"],
    )
    return found


def explain(result: Probed | CapabilityResult, config: WeComConfig) -> Words:
    """Sentence and remedy of a result, in the language of now."""
    said = _said(result, config)
    if result.ok is None and not result.finding:  # nobody tries again by themselves, as they do with calls that matter
        return said._replace(remedy=gettext("Probe again in a while."))
    return said


def _said(result: Probed | CapabilityResult, config: WeComConfig) -> Words:
    if result.errcode is None:
        url = callback_url(config) if config.pk else ""
        return words(result.finding, detail=result.detail, url=url)
    error = error_for("", result.errcode, result.detail, final=True)
    return Words(str(error.sentence), str(error.remedy))


def _ask(capability: Capability, config: WeComConfig) -> Probed:
    try:
        config.secret.check()
        return _kept(capability, _QUESTIONS[capability](for_config(config)))
    except SealBroken:
        return _kept(capability, Finding("sealed"))
    except WeComError as error:
        return _refused(capability, error)


def _kept(capability: Capability, finding: Finding) -> Probed:
    return Probed(capability, finding.ok, finding=finding.code, detail=finding.detail)


def _refused(capability: Capability, error: WeComError) -> Probed:
    """What is worth repeating says nothing about the app's rights."""
    ok = False if isinstance(error, PermanentError) else None
    if error.errcode is not None:
        return Probed(capability, ok, errcode=error.errcode, detail=error.errmsg[:300])
    with translation.override("en"):  # the message id, to be translated by whoever reads it
        return Probed(capability, ok, detail=str(error.sentence)[:300])


def _with_address(found: list[Probed]) -> list[Probed]:
    """WeCom may exempt the call that asks for the address: then another one's refusal tells."""
    refused = next((one for one in found if one.errcode == UNTRUSTED_ADDRESS), None)
    if refused is None:
        return found
    untrusted = Probed(Capability.TRUSTED_IP, False, errcode=UNTRUSTED_ADDRESS, detail=refused.detail)
    return [untrusted if one.capability is Capability.TRUSTED_IP else one for one in found]


# -- the questions ---------------------------------------------------------------------------------------------------


def _token(client: WeComClient) -> Finding:
    client.tokens.get()
    return WORKS


def _trusted_ip(client: WeComClient) -> Finding:
    get_callback_ips(client)
    return WORKS


def _approvals(client: WeComClient) -> Finding:
    """A search over the last minute, for one number (doc 91816)."""
    end = timezone.now()
    window = {"starttime": f"{(end - timedelta(minutes=1)).timestamp():.0f}", "endtime": f"{end.timestamp():.0f}"}
    client.post("oa/getapprovalinfo", {**window, "new_cursor": "", "size": 1, "filters": []})
    return WORKS


def _template(client: WeComClient) -> Finding:
    if not client.config.template_id:
        return Finding("no_template", None)
    get_template_detail(client, client.config.template_id)
    return WORKS


def _messages(client: WeComClient) -> Finding:
    return _send_to_nobody(client, {"msgtype": "text", "text": {"content": "Quotebridge"}})


def _cards(client: WeComClient) -> Finding:
    """A card with buttons: WeCom wants a callback address for those (43012)."""
    card = {
        "card_type": "button_interaction",
        "main_title": {"title": "Quotebridge"},
        "task_id": NOBODY,
        "button_list": [{"text": "OK", "key": "ok"}],
    }
    return _send_to_nobody(client, {"msgtype": "template_card", "template_card": card})


def _send_to_nobody(client: WeComClient, message: dict[str, object]) -> Finding:
    """An app without the right is told so; one with it is told that nobody is there (docs 90236, 90313)."""
    try:
        client.post("message/send", {"touser": NOBODY, "agentid": int(client.config.agent_id), **message})
    except PermanentError as error:
        if error.errcode not in NOBODY_REACHED:
            raise
    return WORKS


def _directory(client: WeComClient) -> Finding:
    return WORKS if list_department_ids(client) else Finding("no_department")


def _customers(client: WeComClient) -> Finding:
    answer = client.get("externalcontact/get_follow_user_list")
    return WORKS if answer.get("follow_user") else Finding("no_follower")


def _callback(config: WeComConfig) -> Probed:
    gravest = callback_doctor.examine(config).findings[0]
    if gravest.code == "no_credentials":  # an app may do without
        gravest = Finding(gravest.code, None)
    return _kept(Capability.CALLBACK, gravest)


_QUESTIONS: dict[Capability, Callable[[WeComClient], Finding]] = {
    Capability.TOKEN: _token,
    Capability.TRUSTED_IP: _trusted_ip,
    Capability.APPROVALS: _approvals,
    Capability.TEMPLATE: _template,
    Capability.MESSAGES: _messages,
    Capability.CARDS: _cards,
    Capability.DIRECTORY: _directory,
    Capability.CUSTOMERS: _customers,
}
