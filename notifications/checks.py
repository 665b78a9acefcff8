"""Wrong settings of messages and alerts, one line each (``manage.py check``, doctor)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

SDK_MISSING = "notifications.E001"
SMS_SETTING_MISSING = "notifications.E002"
ALERT_URL_UNUSABLE = "notifications.E003"

_KEYS = ("SMS_ACCESS_KEY_ID", "SMS_ACCESS_KEY_SECRET", "SMS_SIGN_NAME")
NEEDED = {"console": (), "tencent": (*_KEYS, "SMS_APP_ID"), "aliyun": _KEYS}
"""SMS_BACKEND → the settings it cannot do without."""
PACKAGES = {
    "tencent": ("tencentcloud.sms", "tencentcloud-sdk-python-sms"),
    "aliyun": ("alibabacloud_dysmsapi20170525", "alibabacloud-dysmsapi20170525"),
}
"""SMS_BACKEND → its library: the module, and what it is installed as."""


def missing_sms_settings() -> list[str]:
    return [name for name in NEEDED[settings.SMS_BACKEND] if not getattr(settings, name)]


@register()
def sms_can_be_sent(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """One error per setting that the provider needs, and one for its library."""
    named = {problem.setting for problem in settings.PROBLEMS}
    errors: list[CheckMessage] = [
        Error(
            f"{name} is missing although SMS_BACKEND is {settings.SMS_BACKEND}.",
            hint="Set it, or let SMS_BACKEND be console.",
            obj=name,
            id=SMS_SETTING_MISSING,
        )
        for name in missing_sms_settings()
        if name not in named
    ]
    module, package = PACKAGES.get(settings.SMS_BACKEND, ("", ""))
    if module and not _installed(module):
        errors.append(
            Error(
                f"SMS_BACKEND is {settings.SMS_BACKEND}, but its library {package} is not installed.",
                hint="Run “pip install -r requirements-sms.txt”, or let SMS_BACKEND be console.",
                obj="SMS_BACKEND",
                id=SDK_MISSING,
            )
        )
    return errors


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # its parent package is missing, or was blocked
        return False


@register()
def alert_addresses_are_usable(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """One error per entry of ALERT_URLS that no sender takes; it is named by its place, because it holds a key."""
    from notifications.senders import UnknownAddress, sender_for

    errors: list[CheckMessage] = []
    for place, url in enumerate(settings.ALERT_URLS, start=1):
        try:
            sender_for(url)
        except UnknownAddress as error:
            errors.append(Error(f"ALERT_URLS: address {place} cannot be used.", hint=str(error), id=ALERT_URL_UNUSABLE))
    return errors
