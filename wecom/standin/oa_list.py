"""``getapprovalinfo`` (doc 91816): approval numbers by time of submission, page by page.

The end is a missing ``new_next_cursor``; a page may be short and still have a successor.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from wecom.standin.approvals import STATUS_WORDS
from wecom.standin.call import Call
from wecom.standin.company import find_visible_member
from wecom.standin.errors import ApiError, invalid_form

if TYPE_CHECKING:
    from wecom.standin.world import World

LONGEST_SPAN_SECONDS = 31 * 86400
LARGEST_PAGE = 100
REPEATABLE = "department"


def getapprovalinfo(world: World, call: Call) -> dict[str, Any]:
    start, end = _span(call)
    if "new_cursor" not in call.body:
        raise invalid_form("new_cursor is missing")
    after = _read_cursor(call.text("new_cursor"))
    size = LARGEST_PAGE if "size" not in call.body else call.integer("size")
    if size is None or not 1 <= size <= LARGEST_PAGE:
        raise invalid_form(f"size must be 1 to {LARGEST_PAGE}")
    if world.faults.use("short_pages", call.endpoint):
        size = (size + 1) // 2
    condition, values = _conditions(call)
    statement = (
        "SELECT id, sp_no, applied_at FROM approvals WHERE kind = 'oa' AND applied_at BETWEEN ? AND ?"  # noqa: S608
        f" AND (applied_at, id) > (?, ?){condition} ORDER BY applied_at, id LIMIT ?"
    )
    rows = world.store.rows(statement, start, end, *after, *values, size + 1)
    answer: dict[str, Any] = {"sp_no_list": [row["sp_no"] for row in rows[:size]]}
    if len(rows) > size:
        last = rows[size - 1]
        answer["new_next_cursor"] = _write_cursor(last["applied_at"], last["id"])
    return answer


def _span(call: Call) -> tuple[int, int]:
    start, end = call.seconds("starttime"), call.seconds("endtime")
    if start is None or end is None:
        raise invalid_form("starttime and endtime are required")
    if end <= start:
        raise invalid_form("endtime must be after starttime")
    if end - start > LONGEST_SPAN_SECONDS:
        raise invalid_form("the span must not exceed 31 days")
    return start, end


def _conditions(call: Call) -> tuple[str, list[str | int]]:
    """SQL for the filters: different keys must all hold, of the same key any."""
    wanted: dict[str, list[str]] = {}
    for entry in call.items("filters"):
        key, value = (entry.get("key"), entry.get("value")) if isinstance(entry, dict) else (None, None)
        if not isinstance(key, str) or not isinstance(value, str):
            raise invalid_form("a filter needs key and value, both strings")
        if key in wanted and key != REPEATABLE:
            raise invalid_form(f"filter {key} is given twice")
        wanted.setdefault(key, []).append(value)
    clauses, values = "", []
    for key, texts in wanted.items():
        column, converted = _filter(key, texts)
        clauses += f" AND {column} IN ({', '.join('?' * len(converted))})"
        values += converted
    return clauses, values


def _filter(key: str, texts: list[str]) -> tuple[str, list[str | int]]:
    if key == "template_id":
        return "template_id", list(texts)
    if key == "creator":
        member = find_visible_member(texts[0])
        if member is None:
            raise ApiError(301055, "creator has left or is not in the visible scope")
        return "creator", [member.userid]
    if key in ("department", "sp_status") and all(text.isdigit() for text in texts):
        numbers: list[str | int] = [int(text) for text in texts]
        if key == "sp_status" and numbers[0] not in STATUS_WORDS:
            raise invalid_form(f"sp_status {texts[0]}")
        return {"department": "department", "sp_status": "status"}[key], numbers
    if key == "record_type":
        return "1", [0]  # the stand-in's templates belong to none of WeCom's built-in kinds
    raise invalid_form(f"filter {key}")


def _write_cursor(applied_at: int, number: int) -> str:
    return base64.urlsafe_b64encode(f"{applied_at}.{number}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[int, int]:
    if not cursor:
        return 0, 0
    try:
        applied_at, number = base64.urlsafe_b64decode(cursor).decode().split(".")
        return int(applied_at), int(number)
    except (binascii.Error, ValueError) as error:
        raise invalid_form("new_cursor") from error
