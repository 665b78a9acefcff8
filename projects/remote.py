"""Asking a remote library (DESIGN: “The remote project library”): page by page, one project, or whether it answers.

What comes back is checked against what the contract says before anybody believes it. Nothing here knows the database.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from urllib3.exceptions import HTTPError, ReadTimeoutError

from config.outbound import TooLarge, TooSlow, kept_session, read_body
from config.sealed import SealBroken
from projects import json_text
from projects.errors import BadProject, RemoteAway, RemoteLied, RemoteRefused, Text
from projects.models import RemoteSource
from projects.parsing import Reader

LOOK_SECONDS = 3.0
"""Longest time that a person waits for one project."""
LONGEST_PAGE = 64 * 1024 * 1024
LONGEST_PROJECT = 1024 * 1024

_CHECK_ADDRESS = _("Check the source's base address, the network and whether the library runs.")
_CHECK_LIBRARY = _("Nothing was believed; ask whoever runs the library.")


@dataclass(frozen=True, slots=True)
class Page:
    """One page as the library gave it. ``asked_at``: the content is as it was then or later."""

    number: int
    items: list[Any]
    announced: int | None
    """How many projects there are in all; ``None`` when the library does not say."""
    asked_at: datetime
    pages: int | None
    """How many pages there are; ``None`` when the library does not say."""


class RemoteLibrary:
    """Calls to one source. Cheap to make. Every call raises RemoteAway, RemoteRefused or RemoteLied."""

    def __init__(self, source: RemoteSource) -> None:
        self.source = source
        self._base = source.base_url.rstrip("/")

    def pages(self, types: Sequence[str], *, first_page: int = 1) -> Iterator[Page]:
        """All pages, each once: from ``first_page`` to the last one, then from 1 to the one before it."""
        number, wrapped, before = first_page, first_page == 1, None
        while True:
            page = self._page(types, number)
            if before is not None and page.items and page.items == before.items:
                raise RemoteLied(
                    format_lazy(
                        _("The library gave the same projects as page {one} and as page {two}."),
                        one=before.number,
                        two=page.number,
                    ),
                    remedy=_CHECK_LIBRARY,
                )
            if page.items or page.number == 1:
                yield page
            before = page
            if page.pages == 1 and page.number == 1:  # a bare array is everything, whichever page was asked for
                return
            number += 1
            if self._is_last(page):
                if wrapped:
                    return
                number, wrapped, before = 1, True, None
            if wrapped and first_page > 1 and number == first_page:
                return

    @staticmethod
    def _is_last(page: Page) -> bool:
        return not page.items if page.pages is None else page.number >= page.pages

    def _page(self, types: Sequence[str], number: int) -> Page:
        asked_at = timezone.now()
        source = self.source
        answer = self._get(
            "projects",
            {"types": ",".join(types), "page": str(number), "page_size": str(source.page_size)},
            connect=source.connect_timeout,
            total=source.connect_timeout + source.read_timeout,
            missing_is_none=number > 1,  # there are libraries to which a page beyond the last one does not exist
        )
        if answer is None:
            return Page(number, [], None, asked_at, number - 1)
        if isinstance(answer, list):
            return Page(1, answer, len(answer), asked_at, 1)
        return _checked(answer, number, source.page_size, asked_at)

    def project(self, remote_id: str, *, seconds: float = LOOK_SECONDS) -> dict[str, Any] | None:
        """One project as the library has it, within ``seconds`` in all; ``None`` when it has none of that ID."""
        answer = self._get(
            f"projects/{quote(remote_id, safe='')}",
            {},
            connect=min(seconds, self.source.connect_timeout),
            total=seconds,
            missing_is_none=True,
            most=LONGEST_PROJECT,
        )
        if answer is None:
            return None
        try:
            same = Reader(self.source).id_of(answer) == remote_id
        except BadProject:
            same = False
        if not same:
            raise RemoteLied(
                format_lazy(_("The library gave something else than project {id}."), id=remote_id),
                remedy=_CHECK_LIBRARY,
            )
        return dict(answer)

    def test(self, seconds: float = LOOK_SECONDS) -> int:
        """Ask for one project of all types within ``seconds``; returns how many the library says it has."""
        params = {"types": ",".join(self.source.known_types), "page": "1", "page_size": "1"}
        answer = self._get("projects", params, connect=min(seconds, self.source.connect_timeout), total=seconds)
        if isinstance(answer, list):
            return len(answer)
        page = _checked(answer, 1, 1, timezone.now())
        return len(page.items) if page.announced is None else page.announced

    def _get(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        connect: float,
        total: float,
        missing_is_none: bool = False,
        most: int = LONGEST_PAGE,
    ) -> Any:
        deadline = time.monotonic() + total
        failure: RemoteAway | RemoteLied
        try:
            with kept_session(self._base).get(
                f"{self._base}/{path}",
                params=params,
                headers=self._headers(),
                timeout=(connect, total),
                allow_redirects=False,  # a redirect would carry the key to wherever it points
                stream=True,
            ) as response:
                if response.status_code == 404 and missing_is_none:
                    return None
                _refuse_status(response.status_code)
                return _json(read_body(response, deadline=deadline, most=most))
        except TooLarge:
            failure = RemoteLied(_("The library's answer was too large."), remedy=_CHECK_LIBRARY)
        except TooSlow:
            failure = RemoteAway(_("The library's answer took too long."), remedy=_CHECK_ADDRESS)
        except (requests.RequestException, HTTPError) as error:
            failure = _failure(error)
        raise failure  # out here: inside "except" the original with its address would be the context

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        try:
            if key := self.source.api_key.reveal():
                headers["Authorization"] = f"Bearer {key}"
        except SealBroken:
            raise RemoteRefused(
                _("The source's API key cannot be opened."),
                remedy=_("Type the key in again, or bring FIELD_ENCRYPTION_KEYS back."),
            ) from None
        return headers


def _checked(answer: Any, number: int, asked_size: int, asked_at: datetime) -> Page:
    """The page in ``answer``. Raises RemoteLied when it contradicts itself or what was asked for."""
    items = answer.get("projects") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise _lie(_("The library's answer holds no list of projects."))
    total, told_page, size = (_count(answer.get(name), name) for name in ("total", "page", "page_size"))
    if told_page not in (None, number):
        raise _lie(
            format_lazy(_("The library gave page {given} when asked for page {asked}."), given=told_page, asked=number)
        )
    size = size or asked_size
    if total is None:
        return Page(number, items, None, asked_at, None)
    expected = min(size, max(0, total - (number - 1) * size))
    if len(items) < expected:
        raise _lie(
            format_lazy(
                _("Page {page} holds {given} projects where the library announced {expected}."),
                page=number,
                given=len(items),
                expected=expected,
            )
        )
    return Page(number, items, total, asked_at, max(1, -(-total // size)))


def _count(value: Any, name: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise _lie(format_lazy(_("“{name}” in the library's answer is no number."), name=name))


def _lie(sentence: Text) -> RemoteLied:
    return RemoteLied(sentence, remedy=_CHECK_LIBRARY)


def _refuse_status(status: int) -> None:
    if status == 200:
        return
    if status in (401, 403):
        raise RemoteRefused(
            format_lazy(_("The library refuses the API key (HTTP status {status})."), status=status),
            remedy=_("Type a valid key in at the source."),
        )
    if status == 429 or status >= 500:
        raise RemoteAway(
            format_lazy(_("The library is not able to answer now (HTTP status {status})."), status=status),
            remedy=_("The system tries again by itself; if it lasts, ask whoever runs the library."),
        )
    raise RemoteLied(
        format_lazy(_("What answered was no project library (HTTP status {status})."), status=status),
        remedy=_CHECK_ADDRESS,
    )


def _json(content: bytes) -> Any:
    try:
        return json_text.read(content)
    except (ValueError, RecursionError):
        pass
    if content.lstrip()[:1] == b"<":
        raise RemoteLied(_("The library answered with a web page instead of data."), remedy=_CHECK_ADDRESS)
    raise RemoteLied(_("The library's answer is incomplete or no JSON."), remedy=_CHECK_LIBRARY)


def _failure(error: Exception) -> RemoteAway | RemoteLied:
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return RemoteAway(_("The library did not answer in time."), remedy=_CHECK_ADDRESS)
    if isinstance(error, requests.ConnectionError | requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return RemoteAway(_("The library cannot be reached."), remedy=_CHECK_ADDRESS)
    return RemoteLied(_("The library's answer broke off in the middle."), remedy=_CHECK_LIBRARY)
