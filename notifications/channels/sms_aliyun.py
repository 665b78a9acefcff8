"""SMS_BACKEND=aliyun: Alibaba Cloud's SendSms (dysmsapi, version 2017-05-25) by its official SDK.

Its templates name their parameters, so these go as a JSON object. A refusal comes inside an HTTP 200 (``Code``), or as
the SDK's exception for any other status.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from config.durable import NotYet
from config.phones import CHINA
from notifications.channels.sms import CONNECT_SECONDS, READ_SECONDS, endpoint
from notifications.channels.sms_errors import (
    ACCOUNT_REFUSED,
    FULL,
    HOUR,
    KEYS_REFUSED,
    MINUTE,
    NUMBER_REFUSED,
    OWN_FAILURE,
    SIGNATURE_REFUSED,
    SLOW_DOWN,
    TEMPLATE_REFUSED,
    Refusal,
    failure,
    held_back,
    sdk_missing,
    unanswered,
)

DEFAULT_REGION = "cn-hangzhou"
SENT = "OK"
FLOW_CONTROL = "isv.BUSINESS_LIMIT_CONTROL"
"""One code for minute, hour and day; only the text says which (触发分钟级流控, 小时级, 天级)."""

REFUSALS: Mapping[str, Refusal] = {
    f"{FLOW_CONTROL}/minute": held_back(MINUTE),
    f"{FLOW_CONTROL}/hour": held_back(HOUR),
    f"{FLOW_CONTROL}/day": FULL,
    FLOW_CONTROL: held_back(HOUR),
    "isv.DAY_LIMIT_CONTROL": FULL,
    "isv.MONTH_LIMIT_CONTROL": FULL,
    "isv.MOBILE_NUMBER_ILLEGAL": NUMBER_REFUSED,
    "isv.OUT_OF_SERVICE": ACCOUNT_REFUSED,
    "isv.AMOUNT_NOT_ENOUGH": ACCOUNT_REFUSED,
    "isv.ACCOUNT_ABNORMAL": ACCOUNT_REFUSED,
    "isv.ACCOUNT_NOT_EXISTS": ACCOUNT_REFUSED,
    "isv.PRODUCT_UN_SUBSCRIPT": ACCOUNT_REFUSED,
    "isv.PRODUCT_UNSUBSCRIBE": ACCOUNT_REFUSED,
    "isp.RAM_PERMISSION_DENY": ACCOUNT_REFUSED,
    "isv.DENY_IP_RANGE": ACCOUNT_REFUSED,
    "isv.SMS_TEMPLATE_ILLEGAL": TEMPLATE_REFUSED,
    "isv.TEMPLATE_MISSING_PARAMETERS": TEMPLATE_REFUSED,
    "isv.TEMPLATE_PARAMS_ILLEGAL": TEMPLATE_REFUSED,
    "isv.INVALID_JSON_PARAM": TEMPLATE_REFUSED,
    "isv.INVALID_PARAMETERS": TEMPLATE_REFUSED,
    "isv.PARAM_LENGTH_LIMIT": TEMPLATE_REFUSED,
    "isv.PARAM_NOT_SUPPORT_URL": TEMPLATE_REFUSED,
    "isv.BLACK_KEY_CONTROL_LIMIT": TEMPLATE_REFUSED,
    "isv.SMS_SIGNATURE_ILLEGAL": SIGNATURE_REFUSED,
    "isv.SMS_SIGN_ILLEGAL": SIGNATURE_REFUSED,
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": SIGNATURE_REFUSED,
    "InvalidAccessKeyId": KEYS_REFUSED,
    "SignatureDoesNotMatch": KEYS_REFUSED,
    "IncompleteSignature": KEYS_REFUSED,
    "Throttling": held_back(MINUTE),
    "isp.SYSTEM_ERROR": OWN_FAILURE,
    "isp.GATEWAY_ERROR": OWN_FAILURE,
    "isp.UNKNOWN": OWN_FAILURE,
    "InternalError": OWN_FAILURE,
    "ServiceUnavailable": OWN_FAILURE,
    "SystemError": OWN_FAILURE,
}
_PERIODS = {"分钟": "minute", "小时": "hour", "天": "day"}


def send(number: str, template: str, parameters: Mapping[str, str]) -> str:
    """Send one text; returns Alibaba's BizId. Raises PermanentFailure, TemporaryFailure, NotYet."""
    try:
        from alibabacloud_dysmsapi20170525 import models
        from alibabacloud_tea_openapi.exceptions import AlibabaCloudException, ThrottlingException
    except ImportError as error:
        raise sdk_missing("aliyun") from error
    _quiet()
    request = models.SendSmsRequest(
        phone_numbers=number.removeprefix(CHINA).removeprefix("+"),  # abroad: digits with the country in front
        sign_name=settings.SMS_SIGN_NAME,
        template_code=template,
        template_param=json.dumps(dict(parameters), ensure_ascii=False),
    )
    try:
        answer = _client().send_sms(request).body
    except ThrottlingException as error:
        raise NotYet(str(SLOW_DOWN), retry_after=max(MINUTE, (error.retry_after or 0) / 1000)) from None
    except AlibabaCloudException as error:
        raise _refused(str(error.code or ""), str(error.message or "")) from None
    except Exception as error:  # noqa: BLE001 - the SDK raises whatever the network or an unreadable answer made of it
        raise unanswered(type(error).__name__) from None
    return _business_id(answer)


def _business_id(answer: Any) -> str:
    code = str(getattr(answer, "code", None) or "")
    if not code:
        raise unanswered(_("no state of the message in it"))
    if code != SENT:
        raise _refused(code, str(answer.message or ""))
    return str(answer.biz_id or "")


def _refused(code: str, answer: str) -> Exception:
    if code == "None":  # the SDK's text for an error without a code: not Alibaba's answer
        return unanswered(_("no state of the message in it"))
    if code == FLOW_CONTROL:
        code += next((f"/{period}" for word, period in _PERIODS.items() if f"{word}级" in answer), "")
    return failure(REFUSALS, code, answer)


def _quiet() -> None:
    """The SDK gives its logger a handler of its own and DEBUG, and may write addresses with numbers in them."""
    logger = logging.getLogger("darabonba-core")
    logger.handlers.clear()
    logger.setLevel(logging.WARNING)


def _client() -> Any:
    return _made(
        os.getpid(),
        settings.SMS_ACCESS_KEY_ID,
        settings.SMS_ACCESS_KEY_SECRET,
        settings.SMS_REGION or DEFAULT_REGION,
        endpoint(),
    )


@lru_cache(maxsize=2)
def _made(pid: int, key_id: str, secret: str, region: str, where: tuple[str, str] | None) -> Any:
    """One client per process (``pid``); it repeats nothing by itself."""
    from alibabacloud_dysmsapi20170525.client import Client
    from alibabacloud_tea_openapi.utils_models import Config

    protocol, host = where or ("https", None)
    return Client(
        Config(
            access_key_id=key_id,
            access_key_secret=secret,
            region_id=region,
            protocol=protocol,
            endpoint=host,
            connect_timeout=CONNECT_SECONDS * 1000,
            read_timeout=READ_SECONDS * 1000,
        )
    )
