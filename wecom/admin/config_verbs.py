"""What can be done to an app on its page: finish a rotation, ask what it may do, look at its callback address."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.sealed import SealBroken
from config.verbs import Refused, Verb
from wecom import callback_doctor
from wecom.config_saving import lock_all, save_config
from wecom.models import WeComConfig
from wecom.probe import Probed, probe_and_keep

CHANGE = ("wecom.change_wecomconfig",)


def summary(found: list[Probed]) -> str:
    """One sentence about what a probe found."""
    works, fails = (sum(one.ok is verdict for one in found) for verdict in (True, False))
    if fails:
        text = ngettext(
            "%(works)d of %(all)d work; %(count)d needs a person, see below.",
            "%(works)d of %(all)d work; %(count)d need a person, see below.",
            fails,
        )
        return text % {"works": works, "all": len(found), "count": fails}
    return gettext("%(works)d of %(all)d work, nothing was refused.") % {"works": works, "all": len(found)}


def _finish_rotation(_request: HttpRequest, config: WeComConfig, _data: dict[str, Any]) -> None:
    lock_all()
    config.refresh_from_db()
    try:
        if config.next_callback_token:
            config.callback_token = config.next_callback_token.reveal()
        if config.next_encoding_aes_key:
            config.encoding_aes_key = config.next_encoding_aes_key.reveal()
    except SealBroken as error:
        raise Refused(_("The next pair cannot be opened. Enter it again.")) from error
    config.next_callback_token = config.next_encoding_aes_key = ""
    save_config(config)


def rotating(config: WeComConfig) -> bool:
    return bool(config.next_callback_token or config.next_encoding_aes_key)


def _probe(_request: HttpRequest, config: WeComConfig, _data: dict[str, Any]) -> str:
    return summary(probe_and_keep(config))


def _check_callback(request: HttpRequest, config: WeComConfig, _data: dict[str, Any]) -> HttpResponse:
    report = callback_doctor.examine(config)
    context = {
        **admin.site.each_context(request),
        "title": CHECK_CALLBACK.label,
        "subtitle": str(config),
        "report": report,
        "refused": [(row, gettext(row.reason)) for row in report.refused],
        "back": reverse("admin:wecom_wecomconfig_change", args=[config.pk]),
    }
    return TemplateResponse(request, "wecom/callback_report.html", context)


FINISH_ROTATION = Verb(
    name="finish-rotation",
    label=_("Finish rotation"),
    question=_("Use only the next pair from now on? Callbacks that carry the old one will be refused."),
    done=_("The next pair of callback credentials is the only one now."),
    run=_finish_rotation,
    fits=lambda _request, config: rotating(config),
    permissions=CHANGE,
    icon="autorenew",
    in_lists=False,
)
PROBE = Verb(
    name="probe",
    label=_("Probe now"),
    question=_("Ask WeCom what this app may do? It takes some seconds. Nothing is changed and nobody gets a message."),
    done=_("was probed."),
    run=_probe,
    permissions=CHANGE,
    icon="troubleshoot",
    atomic=False,
    in_lists=False,
)
CHECK_CALLBACK = Verb(
    name="check-callback",
    label=_("Check the callback"),
    question=_("Send a verification and an event, signed as WeCom signs them, to the app's public address?"),
    done=_("Its callback address was checked."),
    run=_check_callback,
    permissions=CHANGE,
    icon="call_received",
    atomic=False,
    in_lists=False,
)
