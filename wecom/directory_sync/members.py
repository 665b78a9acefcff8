"""Members: one call for each department (doc 90201), and the sync assistant's list of IDs where there is one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from wecom import directory_api
from wecom.client import WeComClient
from wecom.directory_api import Object
from wecom.directory_sync import linking, places
from wecom.directory_sync.apply import CHUNK, Laid, Target, mark_gone, refresh_statistics, stored_hashes, unlay
from wecom.directory_sync.departments import parents
from wecom.directory_sync.diff import Kept, PartDifference, Standing, digest
from wecom.directory_sync.fetch import Reading
from wecom.directory_sync.parts import Ask, Part
from wecom.directory_sync.values import number, numbers, text
from wecom.errors import PermanentError, RetryableError
from wecom.models import Department, DirectoryType, Member, WeComConfig

LAID = "wecom_laid_members"
MOST_ASKED_FOR = 50
"""Missing members that are asked for one by one before they count as gone; if more are missing, the brake judges."""
LEFT_THE_COMPANY = 5
NEVER_A_USERID = 64
"""Longest userid (doc 90195)."""
TARGET = Target(
    Member,
    'LOWER({t}."userid")',
    {
        "userid": "NULL",
        "name": "s.userid",
        "alias": "''",
        "position": "''",
        "telephone": "''",
        "mobile": "NULL",
        "email": "NULL",
        "biz_mail": "NULL",
        "gender": "NULL",
        "avatar": "NULL",
        "status": "NULL",
        "main_department": "NULL",
        "direct_leader": "''",
        "extra": "'{}'",
    },
)
_EXTRA = ("english_name", "address", "extattr", "external_position", "external_profile")
"""Kept as they are, in ``Member.extra``."""
TOLD = (
    *("userid", "name", "alias", "position", "telephone", "mobile", "email", "biz_mail", "gender", "avatar"),
    *("status", "main_department", "direct_leader", "department", "order", "is_leader_in_dept"),
    *_EXTRA,
)
"""What counts as a change; a picture's address in two more sizes does not."""


class Members(Part):
    kind = DirectoryType.USER
    endpoints = ("user/list",)

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._rows = Member.objects.filter(config=reading.config).annotate(folded=Lower("userid"))
        self._kept = Kept()
        self._places = Kept()
        self._mentioned: set[int] = set()
        self._missing: list[str] = []
        self._nameless = False

    @classmethod
    def forecast(cls, config: WeComConfig, ask: Ask | None = None) -> int:
        departments = Department.objects.current().filter(config=config).count()
        if not departments and ask is not None:
            departments = len(ask(directory_api.list_department_ids))
        return 1 + departments

    # -- reading -----------------------------------------------------------------------------------------------------

    def fetch(self) -> None:
        reading = self.reading
        self._standing: Standing[str] = Standing(stored_hashes(self._rows, "folded"), believe=not reading.force)
        departments = self._departments()
        reading.progress.expect(len(departments))
        for department in departments:
            for told in self._members_of(department):
                self._take(told)
        self._take_ids()
        if not self._nameless:  # it could be any: nobody can tell who is missing
            self._missing = self._gone(self._standing.missing())

    def _departments(self) -> Sequence[int]:
        """Known from the same run, else asked for: ``user/list`` tells one level only."""
        reading = self.reading
        if reading.departments is None:
            reading.progress.expect(1)
            reading.departments = parents(reading.ask(directory_api.list_department_ids))
        return list(reading.departments)

    def _members_of(self, department: int) -> Sequence[Object]:
        try:
            return self.reading.ask(partial(directory_api.list_members, department=department))
        except PermanentError as error:
            if error.errcode in directory_api.NO_DEPARTMENT:  # dissolved since the list was made
                return ()
            if error.errcode != directory_api.TOO_LARGE:
                raise
        return self._one_by_one(department)

    def _one_by_one(self, department: int) -> list[Object]:
        """A department so large that WeCom does not tell it at once (45029)."""
        ask, progress = self.reading.ask, self.reading.progress
        progress.expect(1)
        names = ask(partial(directory_api.list_member_names, department=department))
        userids = [userid for one in names if isinstance(userid := one.get("userid"), str)]
        wanted = [userid for userid in userids if not self._standing.seen(userid.lower())]
        progress.expect(len(wanted))
        return [told for userid in wanted if (told := self._get(userid)) is not None]

    def _get(self, userid: str) -> Object | None:
        try:
            return self.reading.ask(partial(directory_api.get_member, userid=userid))
        except PermanentError as error:
            if error.errcode in directory_api.NO_MEMBER:
                return None
            raise

    def _take_ids(self) -> None:
        """Whom the app cannot see, but the sync assistant can: at least their ID and departments."""
        client = directory_api.contact_client(self.reading.config)
        if client is None:
            return
        unseen: dict[str, list[int]] = defaultdict(list)
        for place in self._all_places(client):
            if not self._standing.seen(place.userid.lower()):
                unseen[place.userid].append(place.department)
        for userid, departments in unseen.items():
            self._take({"userid": userid, "department": departments})

    def _all_places(self, client: WeComClient) -> Iterator[directory_api.Place]:
        cursor, begun_again = "", False
        while True:
            self.reading.progress.expect(1)
            try:
                page = self.reading.ask(partial(directory_api.list_userids, cursor=cursor), client)
            except RetryableError as error:
                if error.errcode not in directory_api.LOST_PLACE or begun_again:
                    raise
                cursor, begun_again = "", True
                continue
            yield from page.places
            cursor = page.next_cursor
            if not cursor:
                return

    def _gone(self, missing: Sequence[str]) -> list[str]:
        """Of those who are missing, who is really gone: whoever changes departments while they are read one after
        another is in none of the lists."""
        if len(missing) > MOST_ASKED_FOR:
            return list(missing)
        self.reading.progress.expect(len(missing))
        for folded in missing:
            told = self._get(folded)
            if told is not None:
                self._take(told)
        return [folded for folded in missing if not self._standing.seen(folded)]

    def _take(self, told: Object) -> None:
        userid = told.get("userid")
        self.reading.progress.fetched(1)
        if told.get("status") == LEFT_THE_COMPANY:
            return
        self.difference.fetched += 1
        if not isinstance(userid, str) or not userid or len(userid) > NEVER_A_USERID or "\0" in userid:
            self._nameless = True
            self.difference.refuse(str(told.get("name") or "?"), _("WeCom gave no userid that can be used."))
            return
        get = told.get
        content_hash = digest([get(key) for key in TOLD])
        change = self._standing.take(userid.lower(), content_hash)
        if change == "unchanged":
            self.difference.unchanged += 1
        elif change:
            self.difference.note(change, f"{get('name') or ''} ({userid})".strip())
            self._keep(told, change, content_hash)
        else:
            self.difference.fetched -= 1  # told before, by another of their departments

    def _keep(self, told: Object, change: str, content_hash: str) -> None:
        folded, new = told["userid"].lower(), change == "created"
        row = [folded, int(new), *_columns(told), content_hash]
        if new:  # nothing to merge with
            row[_EXTRA_AT] = _extra_text(row[_EXTRA_AT])
        self._kept.add(row)
        for department, order, leader in _places(told):
            self._places.add([folded, department, order, leader])
            self._mentioned.add(department)

    # -- comparing and writing ---------------------------------------------------------------------------------------

    def compare(self) -> PartDifference:
        difference = self.difference
        difference.current = self._standing.current
        shown = self._rows.filter(folded__in=self._missing[:10]).values_list("folded", "name", "userid")
        names = {folded: f"{name} ({userid})" for folded, name, userid in shown}
        for folded in self._missing:
            difference.note("deleted", names.get(folded, folded))
        return difference

    def apply(self, now: datetime) -> None:
        """Departments, then members, then who sits where; last the suggestions who of our users they are."""
        reading = self.reading
        places.ensure_departments(reading, self._mentioned, now=now)
        if self._kept:
            laid = Laid(TARGET, LAID, self._merged())
            laid.update(reading.config.pk, now=now, since=reading.since)
            laid.insert(reading.config.pk, now=now)
            if len(self._kept) > CHUNK:
                refresh_statistics(Member)
            places.replace(LAID, self._places, config_id=reading.config.pk, now=now)
            unlay(LAID)
        mark_gone(self._rows, "folded", self._missing, now=now, since=reading.since)
        linking.suggest(reading.config)

    def _merged(self) -> Iterator[list[Any]]:
        """The rows as they are laid down. What WeCom no longer tells of ``extra`` stays as it was."""
        for block in self._kept.blocks():
            known = [row[0] for row in block if not row[1]]
            stored = dict(self._rows.filter(folded__in=known).values_list("folded", "extra")) if known else {}
            for row in block:
                if not row[1]:
                    row[_EXTRA_AT] = _extra_text({**stored.get(row[0], {}), **row[_EXTRA_AT]})
                yield row


_EXTRA_AT = 2 + list(TARGET.columns).index("extra")


def _extra_text(extra: Mapping[str, Any]) -> str:
    return json.dumps({key: value for key, value in extra.items() if value}) if extra else "{}"


def _columns(told: Mapping[str, Any]) -> list[Any]:
    """In the order of the target's columns. A gender of 0 is what newer apps get for everybody (doc 90196)."""
    leaders, gender = told.get("direct_leader"), text(told, "gender", 1)
    status = number(told.get("status"))
    return [
        told["userid"],
        text(told, "name", 64) or None,
        text(told, "alias", 64),
        text(told, "position", 128),
        text(told, "telephone", 64),
        text(told, "mobile", 32),
        text(told, "email", 128),
        text(told, "biz_mail", 128),
        None if gender in ("", "0") else gender,
        text(told, "avatar", 500),
        status if status is not None and status < 100 else None,
        number(told.get("main_department")),
        str(next(iter(leaders), ""))[:64] if isinstance(leaders, list) else None,
        {key: told[key] for key in _EXTRA if key in told},
    ]


def _places(told: Mapping[str, Any]) -> list[list[int]]:
    """Department, order, leader (0 or 1) of each place; the three lists are parallel."""
    departments = numbers(told.get("department"))
    orders, leading = numbers(told.get("order")), numbers(told.get("is_leader_in_dept"))
    rows = {}
    for at, department in enumerate(departments):
        if department:
            order = orders[at] if at < len(orders) else 0
            rows[department] = [department, order, int(at < len(leading) and leading[at] == 1)]
    return list(rows.values())
