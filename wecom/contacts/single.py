"""The parts of a run, narrowed to one thing: the same reading and writing, so that nothing else can come of it."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from wecom import directory_api
from wecom.customer_api import NO_SUCH_CUSTOMER, get_customer, list_tag_groups
from wecom.directory_api import Object
from wecom.directory_sync.apply import stored_hashes
from wecom.directory_sync.customers import Customers
from wecom.directory_sync.customers_values import TagTree, tag_ids
from wecom.directory_sync.customers_writing import write_tags
from wecom.directory_sync.departments import Departments
from wecom.directory_sync.diff import Standing
from wecom.directory_sync.fetch import Reading
from wecom.directory_sync.members import Members
from wecom.errors import PermanentError
from wecom.models import Tag

CORP_TAG = 1
"""``type`` of a tag that the list of the company's tags must hold (doc 92114)."""


class OneMember(Members):
    def __init__(self, reading: Reading, userid: str) -> None:
        super().__init__(reading)
        self._rows = self._rows.filter(folded=userid.lower())
        self._userid = userid

    def fetch(self) -> None:
        self._standing = Standing(stored_hashes(self._rows, "folded"))
        told = self._get(self._userid)
        if told is not None:
            self._take(told)
        self._missing = self._standing.missing()

    def apply(self, now: datetime) -> None:
        super().apply(now)
        self._rows.update(synced_at=now)  # a run that has read it before must not undo this


class OneDepartment(Departments):
    def __init__(self, reading: Reading, remote_id: str) -> None:
        super().__init__(reading)
        self._rows = self._rows.filter(remote_id=int(remote_id))
        self._remote_id = int(remote_id)

    def fetch(self) -> None:
        self._standing = Standing(stored_hashes(self._rows, "remote_id"))
        try:
            self._take(self.reading.ask(partial(directory_api.get_department, department=self._remote_id)))
        except PermanentError as error:
            if error.errcode not in directory_api.NO_DEPARTMENT:
                raise

    def apply(self, now: datetime) -> None:
        super().apply(now)
        self._rows.update(synced_at=now)


class OneCustomer(Customers):
    def __init__(self, reading: Reading, external_userid: str) -> None:
        super().__init__(reading)
        self.contacts = self.contacts.filter(external_userid=external_userid)
        self.follows = self.follows.filter(customer__external_userid=external_userid)
        self._external_userid = external_userid

    def fetch(self) -> None:
        self._remember()
        contact, followers = self._told()
        tags = Tag.objects.filter(config=self.reading.config, deleted_at=None)
        self.known_tags = frozenset(tags.values_list("tag_id", flat=True))
        if any(set(tag_ids({"tags": _corp_tags(follow)})) - self.known_tags for follow in followers):
            self.tags = TagTree.of(self.reading.ask(list_tag_groups))
            self.known_tags = frozenset(self.tags.tags)
        for follow in followers:
            self.take(contact, follow)

    def _told(self) -> tuple[Object, list[Object]]:
        followers: list[Object] = []
        cursor = ""
        while True:
            try:
                page = self.reading.ask(partial(get_customer, external_userid=self._external_userid, cursor=cursor))
            except PermanentError as error:
                if error.errcode in NO_SUCH_CUSTOMER:
                    return {}, []
                raise
            followers += page.followers
            if not page.next_cursor or page.next_cursor == cursor:
                return page.contact, followers
            cursor = page.next_cursor

    def newer(self) -> frozenset[str]:
        """Nothing is newer: a callback that came meanwhile has taken the row's claim."""
        return frozenset()


class AllTags(Customers):
    """Nothing of the customers but the company's tags."""

    def __init__(self, reading: Reading, _subject: str) -> None:
        super().__init__(reading)
        self.contacts, self.follows = self.contacts.none(), self.follows.none()

    def fetch(self) -> None:
        self._remember()
        self.tags = TagTree.of(self.reading.ask(list_tag_groups))

    def apply(self, now: datetime) -> None:
        if self.tags is not None and write_tags(self.reading.config, self.tags, now=now):
            self.difference.note("updated", "")


def _corp_tags(follow: Object) -> list[Object]:
    told = follow.get("tags")
    tags = told if isinstance(told, list) else []
    return [tag for tag in tags if isinstance(tag, dict) and tag.get("type") == CORP_TAG]
