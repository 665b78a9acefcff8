"""SMS_BACKEND=tencent: Tencent Cloud's SendSms (product 382, version 2021-01-11) by its official SDK.

Its templates number their parameters, so these go as a list, in the order of our text's variables. An answer holds a
state for each number, beside which the call as a whole may have been refused.
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

from notifications.channels.sms import CONNECT_SECONDS, READ_SECONDS, endpoint
from notifications.channels.sms_errors import (
    ACCOUNT_REFUSED,
    BAD_ACCOUNT,
    BAD_NUMBER,
    CHECK_ACCOUNT,
    FULL,
    HOUR,
    KEYS_REFUSED,
    MINUTE,
    NUMBER_REFUSED,
    OWN_FAILURE,
    SIGNATURE_REFUSED,
    TEMPLATE_REFUSED,
    WRONG_CLOCK,
    Refusal,
    failure,
    held_back,
    sdk_missing,
    unanswered,
)

DEFAULT_REGION = "ap-guangzhou"
SENT = "Ok"

REFUSALS: Mapping[str, Refusal] = {
    "LimitExceeded.PhoneNumberThirtySecondLimit": held_back(30.0),
    "LimitExceeded.PhoneNumberOneHourLimit": held_back(HOUR),
    "LimitExceeded.PhoneNumberDailyLimit": FULL,
    "LimitExceeded.PhoneNumberSameContentDailyLimit": FULL,
    "LimitExceeded.DailyLimit": FULL,
    "LimitExceeded.AppDailyLimit": FULL,
    "LimitExceeded.AppMainlandChinaDailyLimit": FULL,
    "LimitExceeded.AppGlobalDailyLimit": FULL,
    "LimitExceeded.AppCountryOrRegionDailyLimit": FULL,
    "LimitExceeded.AppCountryOrRegionInBlacklist": Refusal(BAD_NUMBER, CHECK_ACCOUNT),
    "LimitExceeded": held_back(MINUTE),
    "RequestLimitExceeded": held_back(MINUTE),
    "FailedOperation.MarketingSendTimeConstraint": held_back(HOUR),
    "FailedOperation.InsufficientBalanceInSmsPackage": ACCOUNT_REFUSED,
    "UnauthorizedOperation": ACCOUNT_REFUSED,
    "FailedOperation.PhoneNumberInBlacklist": Refusal(
        BAD_NUMBER, _("The person has refused texts; tell them otherwise.")
    ),
    "FailedOperation.PhoneNumberParseFail": NUMBER_REFUSED,
    "InvalidParameterValue.IncorrectPhoneNumber": NUMBER_REFUSED,
    "UnsupportedOperation": NUMBER_REFUSED,
    "FailedOperation.SignatureIncorrectOrUnapproved": SIGNATURE_REFUSED,
    "FailedOperation.MissingSignature": SIGNATURE_REFUSED,
    "FailedOperation.ContainSensitiveWord": TEMPLATE_REFUSED,
    "FailedOperation.TemplateIdNotExist": TEMPLATE_REFUSED,
    "FailedOperation.TemplateIncorrectOrUnapproved": TEMPLATE_REFUSED,
    "FailedOperation.TemplateUnapprovedOrNotExist": TEMPLATE_REFUSED,
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": TEMPLATE_REFUSED,
    "InvalidParameterValue.SdkAppIdNotExist": Refusal(
        BAD_ACCOUNT, _("Correct SMS_APP_ID, restart, then press “Retry”.")
    ),
    "InvalidParameterValue": TEMPLATE_REFUSED,
    "AuthFailure.SignatureExpire": WRONG_CLOCK,
    "AuthFailure": KEYS_REFUSED,
    "InternalError.RequestTimeException": WRONG_CLOCK,
    "InternalError.RestApiInterfaceNotExist": ACCOUNT_REFUSED,
    "InternalError": OWN_FAILURE,
    "ServiceUnavailable": OWN_FAILURE,
    "ResourceUnavailable": OWN_FAILURE,
}


def send(number: str, template: str, parameters: Mapping[str, str]) -> str:
    """Send one text; returns Tencent's SerialNo. Raises PermanentFailure, TemporaryFailure, NotYet."""
    try:
        from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
        from tencentcloud.sms.v20210111 import models
    except ImportError as error:
        raise sdk_missing("tencent") from error
    request = models.SendSmsRequest()
    request.PhoneNumberSet = [number]
    request.SmsSdkAppId = settings.SMS_APP_ID
    request.SignName = settings.SMS_SIGN_NAME
    request.TemplateId = template
    request.TemplateParamSet = list(parameters.values())
    try:
        answer = json.loads(_client().SendSms(request).to_json_string())
    except TencentCloudSDKException as error:
        code = str(error.get_code() or "")
        if error.get_request_id() is None:  # not Tencent's answer: the SDK met no connection, or nothing it could read
            raise unanswered(code) from None
        raise failure(REFUSALS, code, str(error.get_message() or "")) from None
    return _serial_number(answer)


def _serial_number(answer: Mapping[str, Any]) -> str:
    states = answer.get("SendStatusSet")
    if not isinstance(states, list) or not states or not isinstance(states[0], dict):
        raise unanswered(_("no state of the message in it"))
    code = str(states[0].get("Code") or "")
    if code != SENT:
        raise failure(REFUSALS, code, str(states[0].get("Message") or ""))
    return str(states[0].get("SerialNo") or "")


def _client() -> Any:
    where = endpoint()
    return _made(
        os.getpid(),
        settings.SMS_ACCESS_KEY_ID,
        settings.SMS_ACCESS_KEY_SECRET,
        settings.SMS_REGION or DEFAULT_REGION,
        where,
    )


@lru_cache(maxsize=2)
def _made(pid: int, key_id: str, secret: str, region: str, where: tuple[str, str] | None) -> Any:
    """One client per process (``pid``), which keeps its connection."""
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.sms.v20210111.sms_client import SmsClient

    # at DEBUG it writes numbers and the Authorization header
    logging.getLogger("tencentcloud_sdk_common").setLevel(logging.WARNING)
    protocol, host = where or ("https", None)
    http = HttpProfile(protocol=protocol, endpoint=host, reqTimeout=(CONNECT_SECONDS, READ_SECONDS), keepAlive=True)
    return SmsClient(Credential(key_id, secret), region, ClientProfile(httpProfile=http))
