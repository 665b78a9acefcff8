"""The directory as WeCom tells it (docs 90208, 95350, 90196, 90200, 90201, 96067), one call for each function.

Members and departments come as WeCom's own objects: which keys they have depends on the app, and whoever keeps them
must be able to tell a missing key from an empty text. All calls go in the lane of bulk work.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from wecom.client import WeComClient, for_config
from wecom.errors import IT_REPEATS, PermanentError, RetryableError, WeComError
from wecom.models import WeComConfig

MOST_IDS = 10_000
"""Rows of one page of ``list_userids`` (doc 96067)."""
TOO_LARGE = 45029
"""errcode of a list that WeCom cannot give at once (doc 90201)."""
NO_DEPARTMENT = frozenset({60003, 60123})
NO_MEMBER = frozenset({60111, 46004, 60011, 60021, 50002})
"""errcodes of ``user/get`` for somebody who left or is outside the app's scope."""
LOST_PLACE = frozenset({50100, 60268})
"""errcodes of a cursor that WeCom does not know any more: begin again."""
_SECRET_REFUSED = frozenset({40001, 40013, 40091})
_RIGHT_REFUSED = frozenset({48001, 48002, 48009, 60020})
_ENTER_CONTACT_SECRET = _(
    "Enter the contact secret at the WeCom app again as WeCom shows it (管理工具 → 通讯录同步 → Secret), or empty it."
)
_ALLOW_ASSISTANT = _(
    "Switch API接口同步 on under 管理工具 → 通讯录同步, and add this server's address to 企业可信IP there."
)

Object = Mapping[str, Any]


class Place(NamedTuple):
    """One row of ``user/list_id``: a member in one department."""

    userid: str
    department: int


class IdPage(NamedTuple):
    places: list[Place]
    next_cursor: str
    """``""`` at the end."""


def contact_client(config: WeComConfig) -> WeComClient | None:
    """The client of the sync assistant (通讯录同步助手) of the same company; None where its secret is not known.

    Raises PermanentError when the secret cannot be opened.
    """
    if not config.contact_secret:
        return None
    assistant = copy.copy(config)
    assistant.secret = config.contact_secret
    try:
        return for_config(assistant)
    except PermanentError as error:
        name_the_assistant(error)
        raise


def name_the_assistant(error: WeComError) -> None:
    """Make ``error`` speak of the sync assistant: it has a secret and permissions of its own, beside the app's."""
    error.sentence = format_lazy(_("Sync assistant (通讯录同步助手): {sentence}"), sentence=error.sentence)
    if error.errcode in _SECRET_REFUSED or (error.errcode is None and isinstance(error, PermanentError)):
        error.remedy = _ENTER_CONTACT_SECRET
    elif error.errcode in _RIGHT_REFUSED:
        error.remedy = _ALLOW_ASSISTANT


def list_departments(client: WeComClient) -> Sequence[Object]:
    """All departments in the app's scope, with names and leaders (doc 90208)."""
    return objects_in(client.get("department/list", lane="bulk"), "department", "department/list")


def list_department_ids(client: WeComClient) -> Sequence[Object]:
    """All departments in the app's scope as ``id``, ``parentid``, ``order`` (doc 95350)."""
    return objects_in(client.get("department/simplelist", lane="bulk"), "department_id", "department/simplelist")


def get_department(client: WeComClient, department: int) -> Object:
    """One department (doc 95351). PermanentError with one of NO_DEPARTMENT when there is none."""
    answer = client.get("department/get", {"id": str(department)}, lane="bulk")
    return objects_in({"department": [answer.get("department")]}, "department", "department/get")[0]


def list_members(client: WeComClient, department: int) -> Sequence[Object]:
    """The members of one department, without those of its children (doc 90201). PermanentError 45029: too many."""
    return _members(client, "user/list", department)


def list_member_names(client: WeComClient, department: int) -> Sequence[Object]:
    """The same as ``userid``, ``name`` and ``department`` only (doc 90200)."""
    return _members(client, "user/simplelist", department)


def get_member(client: WeComClient, userid: str) -> Object:
    """One member (doc 90196). PermanentError with one of NO_MEMBER when there is none."""
    return client.get("user/get", {"userid": userid}, lane="bulk")


def list_userids(client: WeComClient, cursor: str = "") -> IdPage:
    """A page of all userids and their departments (doc 96067); the sync assistant's client only."""
    body = {"limit": MOST_IDS, **({"cursor": cursor} if cursor else {})}
    try:
        answer = client.post("user/list_id", body, lane="bulk")
    except WeComError as error:
        name_the_assistant(error)
        raise
    rows = objects_in(answer, "dept_user", "user/list_id")
    places = [
        Place(row["userid"], row["department"])
        for row in rows
        if isinstance(row.get("userid"), str) and isinstance(row.get("department"), int)
    ]
    return IdPage(places, str(answer.get("next_cursor") or ""))


def _members(client: WeComClient, endpoint: str, department: int) -> Sequence[Object]:
    return objects_in(client.get(endpoint, {"department_id": str(department)}, lane="bulk"), "userlist", endpoint)


def objects_in(answer: Object, key: str, endpoint: str) -> Sequence[Object]:
    """An answer without its list is half an answer: taken for empty, it would make everybody a leaver."""
    found = answer.get(key)
    if isinstance(found, list) and all(isinstance(one, dict) for one in found):
        return found
    raise RetryableError(_("WeCom's answer holds no list."), remedy=IT_REPEATS, endpoint=endpoint)
