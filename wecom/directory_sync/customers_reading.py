"""Reading the customers of many members: a hundred members a call, page by page, and around whoever cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from django.utils.translation import gettext as _

from wecom.customer_api import MOST_MEMBERS, NO_CUSTOMERS, NO_LICENCE, list_customers
from wecom.directory_api import LOST_PLACE, NO_MEMBER, Object
from wecom.directory_sync.fetch import Reading
from wecom.errors import IT_REPEATS, PermanentError, RetryableError, TokenError, WeComError

OF_ONE_MEMBER = frozenset({NO_CUSTOMERS, 40003, 40096, *NO_MEMBER})
"""errcodes that concern a member of the list and not the app: the others can be read."""
MOST_IN_VAIN = 8
"""Calls that may fail one after another before WeCom counts as away. Looking for one member among a hundred by halves
takes seven."""


class Batch(NamedTuple):
    customers: list[Object]
    """``external_contact`` with ``follow_info`` each."""
    failed: Mapping[str, str]
    """Userids of members whose customers could not be read, and why."""


class CustomerLists:
    """The customers of members, told only when the whole list of a batch has been read."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._in_vain = 0

    def batches(self, userids: Sequence[str]) -> Iterator[Batch]:
        """Raises what ``Reading.ask`` raises, unless it concerns single members only."""
        starts = range(0, len(userids), MOST_MEMBERS)
        self._reading.progress.expect(len(starts))
        for start in starts:
            yield from self._read(userids[start : start + MOST_MEMBERS])

    def _read(self, userids: Sequence[str], *, begun_again: bool = False) -> Iterator[Batch]:
        try:
            batch = self._pages(userids)
        except (PermanentError, RetryableError) as error:
            failure = error
        else:
            self._in_vain = 0
            yield batch
            return
        if failure.errcode in LOST_PLACE and not begun_again:
            yield from self._read(userids, begun_again=True)
        elif failure.errcode == NO_LICENCE:
            yield Batch([], dict.fromkeys(userids, str(failure.sentence)))
        elif not self._concerns_members(failure):
            raise failure
        elif len(userids) > 1:
            middle = len(userids) // 2
            yield from self._read(userids[:middle])
            yield from self._read(userids[middle:])
        elif failure.errcode == NO_CUSTOMERS:
            yield Batch([], {})
        else:
            yield Batch([], {userids[0]: str(failure.sentence)})

    def _concerns_members(self, error: WeComError) -> bool:
        if isinstance(error, PermanentError):
            return error.errcode in OF_ONE_MEMBER
        self._in_vain += 1
        return not isinstance(error, TokenError) and self._in_vain < MOST_IN_VAIN

    def _pages(self, userids: Sequence[str]) -> Batch:
        customers: list[Object] = []
        unlicensed: dict[str, str] = {}
        cursor, before = "", set[str]()
        while True:
            page = self._reading.ask(partial(list_customers, userids=userids, cursor=cursor))
            customers += page.customers
            unlicensed |= dict.fromkeys(page.unlicensed, _("No licence for this API."))
            cursor = page.next_cursor
            if not cursor:
                return Batch(customers, unlicensed)
            if cursor in before:
                raise RetryableError(
                    _("WeCom repeats a page of a list."),
                    remedy=IT_REPEATS,
                    endpoint="externalcontact/batch/get_by_user",
                )
            before.add(cursor)
            self._reading.progress.expect(1)
