"""OA approval (审批应用): read templates, submit, list, read (docs 91982, 91853, 91816, 91983).

That is all there is: WeCom has no API to approve, reject, withdraw or comment.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from wecom.budgets import Lane
from wecom.client import WeComClient
from wecom.errors import IT_REPEATS, OutcomeUnknown, RetryableError, WeComError
from wecom.snapshots import BadSnapshot, RemoteApproval, from_oa_detail

LONGEST_WINDOW = timedelta(days=31)
"""Longest range of one getapprovalinfo (doc 91816)."""
SHORTEST_WINDOW = timedelta(minutes=1)
PAGE_SIZE = 100
RANGE_TOO_LARGE = 301112
CURSOR_INVALID = frozenset({50100, 60268})
LANGUAGES = ("zh_CN", "en")
"""zh_CN is always there (doc 91982)."""


@dataclass(frozen=True, slots=True)
class Control:
    """One field of a template's form. ``config``: WeCom's own object for Date, Selector, Contact … (doc 91982)."""

    id: str
    type: str
    title: str
    required: bool
    children: tuple[Control, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TemplateDetail:
    name: str
    controls: list[Control]


def get_template_detail(client: WeComClient, template_id: str) -> TemplateDetail:
    """Name and controls of a template (doc 91982)."""
    answer = client.post("oa/gettemplatedetail", {"template_id": template_id}, lane="notice")
    content = answer.get("template_content") or {}
    return TemplateDetail(
        name=_text(answer.get("template_names")),
        controls=[parse_control(control) for control in content.get("controls") or []],
    )


def parse_control(control: Mapping[str, Any]) -> Control:
    """One entry of ``template_content.controls`` (or of a Table's ``children``)."""
    described = control.get("property") or {}
    config = control.get("config") or {}
    children = (config.get("table") or {}).get("children") or []
    return Control(
        id=str(described.get("id") or ""),
        type=str(described.get("control") or ""),
        title=_text(described.get("title")),
        required=bool(described.get("require")),
        children=tuple(parse_control(child) for child in children),
        config=config,
    )


def _text(translations: list[Mapping[str, str]] | None) -> str:
    by_language = {entry.get("lang", ""): entry.get("text", "") for entry in translations or []}
    return next((by_language[language] for language in LANGUAGES if by_language.get(language)), "")


def apply_event(client: WeComClient, body: Mapping[str, Any]) -> str:
    """Submit an approval (doc 91853) and return its ``sp_no``.

    Raises OutcomeUnknown when the answer was lost: there is no idempotency key, so look the approval up
    (``list_approval_numbers``) before submitting again.
    """
    answer = client.post("oa/applyevent", body, writes=True, lane="decision")
    sp_no = answer.get("sp_no")
    if not sp_no:
        raise OutcomeUnknown(
            _("WeCom took the approval but did not say its number."),
            remedy=_("Nothing to do: the system looks the approval up before it tries again."),
            endpoint="oa/applyevent",
        )
    return str(sp_no)


def get_approval_detail(client: WeComClient, sp_no: str, *, lane: Lane = "bulk") -> RemoteApproval:
    """The whole form as WeCom has it now (doc 91983)."""
    answer = client.post("oa/getapprovaldetail", {"sp_no": sp_no}, lane=lane)
    try:
        return from_oa_detail(answer.get("info") or {})
    except BadSnapshot as error:
        raise RetryableError(str(error), remedy=IT_REPEATS, endpoint="oa/getapprovaldetail") from error


def list_approval_numbers(
    client: WeComClient,
    *,
    start: datetime,
    end: datetime,
    filters: Mapping[str, str] | None = None,
    lane: Lane = "bulk",
) -> Iterator[str]:
    """Numbers of the approvals *submitted* from ``start`` to ``end`` (doc 91816), each once, as they are fetched.

    ``filters``: ``template_id``, ``creator``, ``department``, ``sp_status``, ``record_type``; all must hold. Costs
    one call per 100 numbers, and at least one per 31 days.
    """
    seen: set[str] = set()
    entries = [{"key": key, "value": str(value)} for key, value in (filters or {}).items()]
    # On whole seconds, as WeCom counts them: rounding each piece would make one longer than WeCom takes.
    whole = start.replace(microsecond=0), end.replace(microsecond=0) + timedelta(seconds=bool(end.microsecond))
    for window in windows(*whole):
        for number in _list_window(client, *window, entries, lane):
            if number not in seen:  # neighbouring windows share the second between them
                seen.add(number)
                yield number


def windows(start: datetime, end: datetime, longest: timedelta = LONGEST_WINDOW) -> Iterator[tuple[datetime, datetime]]:
    """``start`` to ``end`` in consecutive pieces of at most ``longest``, oldest first."""
    while start < end:
        stop = min(start + longest, end)
        yield start, stop
        start = stop


def _list_window(
    client: WeComClient, start: datetime, end: datetime, filters: list[dict[str, str]], lane: Lane
) -> Iterator[str]:
    try:
        yield from _pages(client, start, end, filters, lane)
        return
    except WeComError as error:
        if error.errcode in CURSOR_INVALID:
            rest = [_pages(client, start, end, filters, lane)]
        elif error.errcode == RANGE_TOO_LARGE and end - start > SHORTEST_WINDOW:
            halves = windows(start, end, (end - start) / 2)
            rest = [_list_window(client, *half, filters, lane) for half in halves]
        else:
            raise
    for numbers in rest:
        yield from numbers


def _pages(
    client: WeComClient, start: datetime, end: datetime, filters: list[dict[str, str]], lane: Lane
) -> Iterator[str]:
    """The pages of one window. Only a missing cursor is the end: rows out of the app's scope make pages short."""
    cursor = ""
    spent = {cursor}
    while True:
        answer = client.post("oa/getapprovalinfo", _query(start, end, cursor, filters), lane=lane)
        yield from map(str, answer.get("sp_no_list") or [])
        cursor = str(answer.get("new_next_cursor") or "")
        if not cursor:
            return
        if cursor in spent:
            raise RetryableError(
                _("WeCom's list of approvals leads back to a page that was read already."),
                remedy=IT_REPEATS,
                endpoint="oa/getapprovalinfo",
            )
        spent.add(cursor)


def _query(start: datetime, end: datetime, cursor: str, filters: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "starttime": str(math.floor(start.timestamp())),
        "endtime": str(math.ceil(end.timestamp())),
        "new_cursor": cursor,
        "size": PAGE_SIZE,
        "filters": filters,
    }
