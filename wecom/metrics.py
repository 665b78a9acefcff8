"""What the WeCom side counts as it happens: callbacks and calls. What is looked up stands in ``wecom.gauges``."""

from __future__ import annotations

from config.metrics import Counter, Histogram
from wecom.errcodes import TABLE

ENDPOINTS = (
    "gettoken",
    "getcallbackip",
    "get_api_domain_ip",
    "get_jsapi_ticket",
    "ticket/get",
    "agent/get",
    "oa/gettemplatedetail",
    "oa/applyevent",
    "oa/getapprovalinfo",
    "oa/getapprovaldetail",
    "oa/approval/create_template",
    "oa/approval/update_template",
    "corp/getopenapprovaldata",
    "message/send",
    "message/recall",
    "message/update_template_card",
    "auth/getuserinfo",
    "auth/getuserdetail",
    "department/list",
    "department/simplelist",
    "department/get",
    "user/list",
    "user/list_id",
    "user/simplelist",
    "user/get",
    "user/getuserid",
    "user/get_userid_by_email",
    "tag/list",
    "tag/get",
    "externalcontact/list",
    "externalcontact/get",
    "externalcontact/get_follow_user_list",
    "externalcontact/get_corp_tag_list",
    "externalcontact/batch/get_by_user",
    "externalcontact/mark_tag",
    "media/upload",
    "media/get",
)
"""The endpoints that calls are told apart by; a new one belongs here (a test reads the code for them)."""
NO_ANSWER = "none"
"""In place of an errcode, where WeCom gave none."""
RECEIVED = ("stored", "duplicate", "spooled", "refused")
OUTCOMES = (
    *("applied", "unchanged", "stale", "conflict", "refused", "unknown", "ignored"),
    *("parked", "given_up", "failed", "dead"),
)
"""What handling an event led to: a listener's word, else what became of the row."""
_ARRIVAL = (1, 2, 3, 5, 10, 30, 60, 300, 900, 3600)
_HANDLING = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 3600)
_CALL = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2, 3, 5, 8, 12)

received = Counter(
    "quotebridge_callbacks_received",
    "Requests to the callback address, by what was done with them at once.",
    from_zero=True,
    result=RECEIVED,
)
stored_after = Histogram(
    "quotebridge_callback_stored_after_seconds",
    "From the time that WeCom gives an event (whole seconds) until its row was written.",
    buckets=_ARRIVAL,
)
handled = Counter(
    "quotebridge_callbacks_handled",
    "Attempts to handle a stored event, by outcome; parked and failed ones are repeated.",
    from_zero=True,
    outcome=OUTCOMES,
)
handled_after = Histogram(
    "quotebridge_callback_handled_after_seconds",
    "From the time that an event's row was written until its effect was; one processed again counts from its arrival.",
    buckets=_HANDLING,
)
_calls = Counter(
    "quotebridge_wecom_calls",
    f"Calls to WeCom by errcode; 0 is success, {NO_ANSWER} means that there was no readable answer.",
    endpoint=ENDPOINTS,
    errcode=("0", NO_ANSWER, *map(str, TABLE)),
)
_call_seconds = Histogram(
    "quotebridge_wecom_call_seconds", "What calls to WeCom took.", buckets=_CALL, endpoint=ENDPOINTS
)


def count_call(endpoint: str, errcode: int | None, seconds: float) -> None:
    """One call to ``endpoint`` (``oa/applyevent``) is over. ``errcode``: None where WeCom gave none."""
    _calls.add(endpoint, NO_ANSWER if errcode is None else str(errcode))
    _call_seconds.observe(seconds, endpoint)
