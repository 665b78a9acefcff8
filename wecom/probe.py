"""What an app may do at WeCom, found out with calls that change nothing.

WeCom has no call that lists an app's rights, and its console spreads them over five pages. So each right is tried: a
search over one minute, a template that is only read, a message to nobody. What was found is kept as a code; sentence
and remedy follow when it is read.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.sealed import SealBroken
from wecom import callback_doctor
from wecom.client import for_config
from wecom.configs import callback_url
from wecom.directory_api import name_the_assistant
from wecom.errcodes import Text
from wecom.errors import PermanentError, RetryableError, WeComError, error_for
from wecom.findings import Finding, Words, words
from wecom.models import Capability, CapabilityResult, WeComConfig
from wecom.probe_questions import QUESTIONS, AssistantRefused

LONGEST = 20.0
"""Seconds after which nothing more is asked: a person is waiting."""
UNTRUSTED_ADDRESS = 60020
ASSISTANT = "assistant"
"""The finding that stands beside an error of the sync assistant's, which has a secret of its own."""

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
            found = ask(capability, config)
        barred = barred or _bars_the_rest(found)
        yield found


def _bars_the_rest(found: Probed) -> str:
    """Who is refused at the door is not asked seven times more what they may do inside."""
    if found.capability is Capability.TOKEN and not found.ok:
        return "after_token"
    return "after_address" if found.errcode == UNTRUSTED_ADDRESS else ""


def probe_and_keep(config: WeComConfig) -> list[Probed]:
    """``probe``, and what it found in the place of what was known before. Asking takes its time: if somebody has saved
    or deleted the app meanwhile, nothing is kept."""
    found = _with_address(list(probe(config)))
    as_it_was = WeComConfig.objects.filter(pk=config.pk, updated_at=config.updated_at)
    with transaction.atomic():
        if as_it_was.select_for_update(no_key=True).first() is not None:
            _keep(config, found)
    return found


def _keep(config: WeComConfig, found: Iterable[Probed]) -> None:
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


def explain(result: Probed | CapabilityResult, config: WeComConfig) -> Words:
    """Sentence and remedy of a result, in the language of now."""
    said = _said(result, config)
    call_failed = result.ok is None and result.finding in ("", ASSISTANT)
    if call_failed:  # nothing repeats it by itself, unlike the calls that matter
        return said._replace(remedy=gettext("Probe again in a while."))
    return said


def _said(result: Probed | CapabilityResult, config: WeComConfig) -> Words:
    if result.finding == ASSISTANT:
        return _said_of_assistant(result)
    if result.errcode is None:
        url = callback_url(config) if config.pk else ""
        return words(result.finding, detail=result.detail, url=url)
    error = error_for("", result.errcode, result.detail, final=True)
    return Words(str(error.sentence), str(error.remedy))


def _said_of_assistant(result: Probed | CapabilityResult) -> Words:
    if result.errcode is None:
        error: WeComError = RetryableError(gettext(result.detail))
    else:
        error = error_for("", result.errcode, result.detail, final=True)
    name_the_assistant(error)
    return Words(str(error.sentence), str(error.remedy))


def ask(capability: Capability, config: WeComConfig) -> Probed:
    """Ask WeCom about one capability, any but Capability.CALLBACK."""
    try:
        config.secret.check()
        config.contact_secret.check()
        return _kept(capability, QUESTIONS[capability](for_config(config)))
    except SealBroken:
        return _kept(capability, Finding("sealed"))
    except AssistantRefused as refusal:
        return _refused(capability, refusal.error, finding=ASSISTANT)
    except WeComError as error:
        return _refused(capability, error)


def _kept(capability: Capability, finding: Finding) -> Probed:
    return Probed(capability, finding.ok, finding=finding.code, detail=finding.detail)


def _refused(capability: Capability, error: WeComError, finding: str = "") -> Probed:
    """What is worth repeating says nothing about the app's rights."""
    ok = False if isinstance(error, PermanentError) else None
    if error.errcode is not None:
        return Probed(capability, ok, errcode=error.errcode, finding=finding, detail=error.errmsg[:300])
    with translation.override("en"):  # the message id, to be translated by whoever reads it
        return Probed(capability, ok, finding=finding, detail=str(error.sentence)[:300])


def _with_address(found: list[Probed]) -> list[Probed]:
    """WeCom may exempt the call that asks for the address: then another one's refusal tells."""
    refused = next((one for one in found if one.errcode == UNTRUSTED_ADDRESS), None)
    if refused is None:
        return found
    untrusted = Probed(Capability.TRUSTED_IP, False, errcode=UNTRUSTED_ADDRESS, detail=refused.detail)
    return [untrusted if one.capability is Capability.TRUSTED_IP else one for one in found]


def _callback(config: WeComConfig) -> Probed:
    gravest = callback_doctor.examine(config).findings[0]
    if gravest.code == "no_credentials":  # an app may do without
        gravest = Finding(gravest.code, None)
    return _kept(Capability.CALLBACK, gravest)
