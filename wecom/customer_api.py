"""Customers as WeCom tells them (docs 92571, 92994, 92114, 92117), one call for each function.

They belong to the members who follow them: a list is asked for by member, and a customer of several members comes once
for each. All calls go in the lane of bulk work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

from django.utils.translation import gettext_lazy as _

from wecom.client import WeComClient
from wecom.directory_api import Object, objects_in
from wecom.errors import IT_REPEATS, PermanentError, RetryableError

MOST_MEMBERS = 100
MOST_CUSTOMERS = 100
"""In one call of ``list_customers`` (doc 92994)."""
NO_CUSTOMERS = 84061
"""errcode for a member without customers (doc 92113), and for a customer whom nobody follows any more."""
NO_LICENCE = 701008
"""errcode when none of the members may be asked about (doc 92994)."""
NO_SUCH_CUSTOMER = frozenset({NO_CUSTOMERS, 40096})
NO_RIGHT = frozenset({48001, 48002, 84074})
_RIGHT = _("Add the app under 客户联系 → 可调用接口的应用 in the WeCom console, then retry.")

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


class CustomerPage(NamedTuple):
    customers: Sequence[Object]
    """``external_contact`` with one member's ``follow_info`` each."""
    next_cursor: str
    """``""`` at the end."""
    unlicensed: list[str]
    """Userids of members without a licence for this API: nothing is told of their customers."""


class CustomerDetail(NamedTuple):
    contact: Object
    followers: Sequence[Object]
    next_cursor: str


def _names_the_right(call: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
    """An app without the right for customers is told where to get it, not just that it lacks one."""

    @wraps(call)
    def asked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        try:
            return call(*args, **kwargs)
        except PermanentError as error:
            if error.errcode in NO_RIGHT:
                error.remedy = _RIGHT
            raise

    return asked


@_names_the_right
def list_tag_groups(client: WeComClient) -> Sequence[Object]:
    """The company's tags, by groups (doc 92117)."""
    answer = client.post("externalcontact/get_corp_tag_list", {}, lane="bulk")
    return objects_in(answer, "tag_group", "externalcontact/get_corp_tag_list")


@_names_the_right
def list_following_members(client: WeComClient) -> list[str]:
    """The userids of the members who may have customers (doc 92571)."""
    answer = client.get("externalcontact/get_follow_user_list", lane="bulk")
    found = answer.get("follow_user")
    if not isinstance(found, list) or not all(isinstance(userid, str) for userid in found):
        raise _half("externalcontact/get_follow_user_list")
    return found


@_names_the_right
def list_customers(client: WeComClient, userids: Sequence[str], cursor: str = "") -> CustomerPage:
    """A page of the customers of at most MOST_MEMBERS members (doc 92994). PermanentError NO_LICENCE, NO_CUSTOMERS."""
    endpoint = "externalcontact/batch/get_by_user"
    body: dict[str, Any] = {"userid_list": list(userids), "limit": MOST_CUSTOMERS}
    if cursor:
        body["cursor"] = cursor
    answer = client.post(endpoint, body, lane="bulk")
    failures = answer.get("fail_info")
    unlicensed = failures.get("unlicensed_userid_list") if isinstance(failures, Mapping) else None
    return CustomerPage(
        objects_in(answer, "external_contact_list", endpoint),
        str(answer.get("next_cursor") or ""),
        [userid for userid in unlicensed or () if isinstance(userid, str)],
    )


@_names_the_right
def get_customer(client: WeComClient, external_userid: str, cursor: str = "") -> CustomerDetail:
    """One customer with up to 500 of the members who follow them (doc 92114). PermanentError NO_SUCH_CUSTOMER."""
    query = {"external_userid": external_userid, **({"cursor": cursor} if cursor else {})}
    answer = client.get("externalcontact/get", query, lane="bulk")
    contact = answer.get("external_contact")
    if not isinstance(contact, Mapping):
        raise _half("externalcontact/get")
    followers = objects_in(answer, "follow_user", "externalcontact/get")
    return CustomerDetail(contact, followers, str(answer.get("next_cursor") or ""))


def _half(endpoint: str) -> RetryableError:
    return RetryableError(_("WeCom's answer holds no list."), remedy=IT_REPEATS, endpoint=endpoint)
