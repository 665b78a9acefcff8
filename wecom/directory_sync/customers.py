"""Customers with the members who follow them and the company's tags (docs 92571, 92994, 92117).

What cannot be read of single members (no licence, an error that stays) makes the run partial: the others' customers
apply, and whatever is known of the failed members stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from wecom.customer_api import MOST_CUSTOMERS, MOST_MEMBERS, list_following_members, list_tag_groups
from wecom.directory_api import Object
from wecom.directory_sync.customers_reading import CustomerLists
from wecom.directory_sync.customers_values import TagTree, contact_row, follower_row, key_of
from wecom.directory_sync.customers_writing import CustomerWriting, write_tags
from wecom.directory_sync.diff import MOST_EXAMPLES, Kept, PartDifference, Standing, digest
from wecom.directory_sync.fetch import Reading
from wecom.directory_sync.parts import Ask, Part
from wecom.models import ContactRefresh, DirectoryType, ExternalContact, Follower, RefreshKind, WeComConfig

FollowerKey = tuple[str, str]
"""The customer's ID and the member's userid, folded."""


class Customers(Part):
    """Counts customers: one is changed when anything about it is, the notes of a follower included. ``failed`` counts
    the members whose customers could not be read."""

    kind = DirectoryType.CUSTOMER
    endpoints = ("externalcontact/get_follow_user_list", "externalcontact/batch/get_by_user")

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self.contacts = ExternalContact.objects.filter(config=reading.config)
        self.follows = Follower.objects.filter(customer__config=reading.config)
        self.tags: TagTree | None = None
        self.known_tags: frozenset[str] = frozenset()
        self._kept_contacts, self._kept_followers = Kept(), Kept()
        self._changed: set[str] = set()
        self._failed: set[str] = set()
        self._unusable = False
        self._gone: list[str] = []
        self._ended: list[FollowerKey] = []

    @classmethod
    def forecast(cls, config: WeComConfig, ask: Ask | None = None) -> int:
        follows = Follower.objects.filter(customer__config=config, deleted_at=None)
        members = follows.values("userid").distinct().count()
        if not members and ask is not None:
            members = len(ask(list_following_members))
        return 2 + -(-members // MOST_MEMBERS) + follows.count() // MOST_CUSTOMERS

    # -- reading -----------------------------------------------------------------------------------------------------

    def fetch(self) -> None:
        reading = self.reading
        self._remember()
        reading.progress.expect(2)
        self.tags = TagTree.of(reading.ask(list_tag_groups))
        self.known_tags = frozenset(self.tags.tags)
        members = reading.ask(list_following_members)
        for batch in CustomerLists(reading).batches(members):
            for userid, reason in batch.failed.items():
                self._fail(userid, reason)
            for told in batch.customers:
                self.take(told.get("external_contact"), told.get("follow_info"))

    def _remember(self) -> None:
        believe = not self.reading.force
        contacts = self.contacts.values_list("external_userid", "content_hash", "deleted_at").order_by()
        self._standing: Standing[str] = Standing(
            ((key, stored, gone is None) for key, stored, gone in contacts.iterator(chunk_size=5000)), believe=believe
        )
        self._standing_followers: Standing[FollowerKey] = Standing(self._stored_followers(), believe=believe)

    def _stored_followers(self) -> Iterator[tuple[FollowerKey, str, bool]]:
        rows = self.follows.values_list("customer__external_userid", "userid", "content_hash", "deleted_at").order_by()
        for external_userid, userid, stored, gone in rows.iterator(chunk_size=5000):
            yield (external_userid, userid.lower()), stored, gone is None

    def _fail(self, userid: str, reason: str) -> None:
        if userid.lower() not in self._failed:
            self._failed.add(userid.lower())
            self.difference.refuse(userid, reason)

    def take(self, contact: object, follow: object) -> None:
        """One customer of one member."""
        if not isinstance(contact, dict) or not isinstance(follow, dict):
            self._refuse("?")
            return
        external_userid, userid = key_of(contact, "external_userid"), key_of(follow, "userid")
        if not external_userid or not userid:
            self._refuse(str(contact.get("name") or "?"))
            return
        self._take_contact(external_userid, contact)
        row = follower_row(follow, self.known_tags)
        content_hash = digest(row)
        if self._standing_followers.take((external_userid, userid.lower()), content_hash) in ("created", "updated"):
            self._note(external_userid, "updated", str(contact.get("name") or external_userid))
            self._kept_followers.add([external_userid, *row, content_hash])

    def _refuse(self, name: str) -> None:
        self._unusable = True  # it could be any: nobody can tell who is missing
        self.difference.partial = True
        self.difference.refuse(name, _("WeCom gave no ID that can be used."))

    def _take_contact(self, external_userid: str, told: Object) -> None:
        row = contact_row(told)
        content_hash = digest(row)
        change = self._standing.take(external_userid, content_hash)
        if change is None:
            return  # a customer of several members comes once for each
        self.reading.progress.fetched(1)
        self.difference.fetched += 1
        if change != "unchanged":
            self._note(external_userid, change, row[0] or external_userid)
            self._kept_contacts.add([external_userid, *row, content_hash])

    def _note(self, external_userid: str, change: str, name: str) -> None:
        if external_userid not in self._changed:
            self._changed.add(external_userid)
            self.difference.note(change, name)

    # -- comparing and writing ---------------------------------------------------------------------------------------

    def compare(self) -> PartDifference:
        difference = self.difference
        difference.current = self._standing.current
        difference.unchanged = difference.fetched - len(self._changed)
        difference.partial = difference.partial or bool(self._failed)
        if self._unusable:
            return difference
        for external_userid, userid in self._standing_followers.missing():
            if userid in self._failed:
                self._standing.keep(external_userid)
            else:
                self._ended.append((external_userid, userid))
        self._gone = self._standing.missing()
        self._note_gone()
        return difference

    def _note_gone(self) -> None:
        names = self._names(self._gone[:MOST_EXAMPLES])
        for external_userid in self._gone:
            self.difference.note("deleted", names.get(external_userid) or external_userid)
        gone = set(self._gone)
        for external_userid, _userid in self._ended:
            if external_userid not in gone and external_userid not in self._changed:
                # its other followers are still there
                self.difference.unchanged = max(0, self.difference.unchanged - 1)
                self._note(external_userid, "updated", external_userid)

    def _names(self, external_userids: Iterable[str]) -> dict[str, str]:
        rows = self.contacts.filter(external_userid__in=external_userids)
        return dict(rows.values_list("external_userid", "name"))

    def newer(self) -> frozenset[str]:
        """Customers that were written, or marked to be read, since this reading began: what was read may be older."""
        config, since = self.reading.config, self.reading.since
        written = self.contacts.filter(synced_at__gte=since).values_list("external_userid", flat=True)
        marked = ContactRefresh.objects.filter(config=config, kind=RefreshKind.CUSTOMER, updated_at__gte=since)
        return frozenset(written) | frozenset(marked.values_list("subject", flat=True))

    def apply(self, now: datetime) -> None:
        """Tags, customers, followers with their tags, and who is gone."""
        config = self.reading.config
        # One writer at a time, so that nobody becomes newer from here on; callbacks, which refer to the app, go on.
        WeComConfig.objects.select_for_update(no_key=True).get(pk=config.pk)
        writing = CustomerWriting(config, now, self.newer())
        if self.tags is not None:
            marked = ContactRefresh.objects.filter(config=config, kind=RefreshKind.TAGS)
            newer = marked.filter(updated_at__gte=self.reading.since).exists()
            write_tags(config, self.tags, now=now, only_new=newer)
        writing.contacts(self._kept_contacts.blocks())
        writing.followers(self._kept_followers.blocks())
        writing.gone(self._gone, self._ended)
        writing.settle(self.follows)
