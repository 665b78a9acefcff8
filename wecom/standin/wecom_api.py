"""The door to ``/cgi-bin``: routes, and what happens to every call before and after its endpoint.

In this order: faults that refuse, the frequency limit, the token, the endpoint, faults that spoil the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.standin.errors import BrokenAnswer, ConnectionDropped
from config.standin.faults import Fault
from wecom.standin import (
    card_api,
    customer_api,
    directory_api,
    engine_api,
    jssdk,
    login_codes,
    message_api,
    oa_api,
    oa_list,
    tokens,
)
from wecom.standin.call import WRONG_JSON, Call
from wecom.standin.errors import ApiError

if TYPE_CHECKING:
    from wecom.standin.world import World

Endpoint = Callable[["World", Call], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """``approval`` endpoints have the narrow limit of 600 calls a minute, all others the basic one."""

    method: str
    endpoint: Endpoint
    approval: bool = False
    needs_token: bool = True


def _getcallbackip(world: World, call: Call) -> dict[str, Any]:
    return {"ip_list": ["127.0.0.1", "203.0.113.*"]}


def _get_api_domain_ip(world: World, call: Call) -> dict[str, Any]:
    return {"ip_list": ["127.0.0.1", "198.51.100.7"]}


ROUTES: dict[str, Route] = {
    "gettoken": Route("GET", tokens.gettoken, needs_token=False),
    "getcallbackip": Route("GET", _getcallbackip),
    "get_api_domain_ip": Route("GET", _get_api_domain_ip),
    "oa/gettemplatedetail": Route("POST", oa_api.gettemplatedetail, approval=True),
    "oa/applyevent": Route("POST", oa_api.applyevent, approval=True),
    "oa/getapprovalinfo": Route("POST", oa_list.getapprovalinfo, approval=True),
    "oa/getapprovaldetail": Route("POST", oa_api.getapprovaldetail, approval=True),
    "get_jsapi_ticket": Route("GET", jssdk.get_jsapi_ticket),
    "ticket/get": Route("GET", jssdk.ticket_get),
    "corp/getopenapprovaldata": Route("POST", engine_api.getopenapprovaldata),
    "message/send": Route("POST", message_api.send),
    "message/update_template_card": Route("POST", card_api.update_template_card),
    "message/recall": Route("POST", card_api.recall),
    "department/list": Route("GET", directory_api.department_list),
    "department/simplelist": Route("GET", directory_api.department_simplelist),
    "department/get": Route("GET", directory_api.department_get),
    "user/get": Route("GET", directory_api.user_get),
    "user/simplelist": Route("GET", directory_api.user_simplelist),
    "user/list": Route("GET", directory_api.user_list),
    "user/list_id": Route("POST", directory_api.user_list_id),
    "externalcontact/get_follow_user_list": Route("GET", customer_api.get_follow_user_list),
    "externalcontact/list": Route("GET", customer_api.list_of_member),
    "externalcontact/get": Route("GET", customer_api.get),
    "externalcontact/batch/get_by_user": Route("POST", customer_api.batch_get_by_user),
    "externalcontact/get_corp_tag_list": Route("POST", customer_api.get_corp_tag_list),
    "auth/getuserinfo": Route("GET", login_codes.getuserinfo),
}


def answer(world: World, call: Call) -> dict[str, Any]:
    """The JSON answer of one call, its errcode counted.

    Raises ConnectionDropped or BrokenAnswer where a fault wants no answer at all.
    """
    if world.faults.use("close_before", call.endpoint):
        raise ConnectionDropped
    if broken := world.faults.use("http_status", call.endpoint):
        raise BrokenAnswer(broken.parameters["status"])
    slow = world.faults.use("slow", call.endpoint)
    _pause(slow, "before")
    try:
        result: dict[str, Any] = {"errcode": 0, "errmsg": "ok"} | _result(world, call)
    except ApiError as error:
        result = {"errcode": error.errcode, "errmsg": error.message(call.client_ip)}
        if call.endpoint in ("getcallbackip", "get_api_domain_ip"):
            result["ip_list"] = []
    if call.wrong_json:
        result["errmsg"] += f" {WRONG_JSON}"
    _count(world, call.endpoint, result["errcode"])
    if world.faults.use("close_after", call.endpoint):
        raise ConnectionDropped
    _pause(slow, "after")
    return result


def _result(world: World, call: Call) -> dict[str, Any]:
    route = ROUTES[call.endpoint]
    injected = world.faults.use("errcode", call.endpoint)
    if injected and not injected.parameters["effect"]:
        raise _injected(injected)
    world.limits.count_call(call.endpoint, approval=route.approval)
    if call.method != route.method:
        raise ApiError(40058, f"invalid request method, use {route.method}")
    if route.needs_token:
        tokens.check_token(world, call.query.get("access_token", ""))
    result = route.endpoint(world, call)
    if injected:
        raise _injected(injected)
    return result


def _injected(fault: Fault) -> ApiError:
    return ApiError(fault.parameters["errcode"], "injected by a fault switch")


def _pause(slow: Fault | None, moment: str) -> None:
    wanted = "before" if slow and slow.parameters["moment"] == "before" else "after"
    if slow and wanted == moment:
        time.sleep(slow.parameters["seconds"])


def _count(world: World, endpoint: str, errcode: int) -> None:
    world.store.execute(
        "INSERT INTO answers (endpoint, errcode, total) VALUES (?, ?, 1)"
        " ON CONFLICT (endpoint, errcode) DO UPDATE SET total = total + 1",
        endpoint,
        errcode,
    )
