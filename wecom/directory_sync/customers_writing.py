"""Writing customers, followers and tags: only rows that differ, some hundred in a statement. To be called in the
transaction of a run or of a refresh."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Lower

from wecom.directory_sync.customers_values import CONTACT, FOLLOWER, TagTree
from wecom.models import ExternalContact, Follower, Member, Tag, TagGroup, WeComConfig

CHUNK = 500
_FOLLOWER_AT = 1 + len(FOLLOWER)
"""Where the tags stand in a follower's row: after the customer's ID and the columns; the hash follows."""


def write_tags(config: WeComConfig, tree: TagTree, *, now: datetime, only_new: bool = False) -> bool:
    """Make groups and tags what ``tree`` says; whether anything was different. ``only_new``: those that are there are
    left as they are."""
    groups = {key: {"name": name, "order": order} for key, (name, order) in tree.groups.items()}
    changed = _write_named(TagGroup, config, "group_id", groups, now=now, only_new=only_new)
    keys = dict(TagGroup.objects.filter(config=config).values_list("group_id", "pk"))
    tags = {
        key: {"group_id": keys[group], "name": name, "order": order} for key, (group, name, order) in tree.tags.items()
    }
    return _write_named(Tag, config, "tag_id", tags, now=now, only_new=only_new) or changed


def _write_named(
    model: type[TagGroup] | type[Tag],
    config: WeComConfig,
    key: str,
    wanted: Mapping[str, dict[str, Any]],
    *,
    now: datetime,
    only_new: bool,
) -> bool:
    rows: QuerySet[Any] = model._default_manager.filter(config=config)
    stored = {getattr(row, key): row for row in rows}
    new = [model(config=config, **{key: one}, **values) for one, values in wanted.items() if one not in stored]
    manager: Any = model._default_manager
    manager.bulk_create(new, batch_size=CHUNK, ignore_conflicts=True)
    if only_new:
        return bool(new)
    changed = []
    for one, values in wanted.items():
        row = stored.get(one)
        if row and (row.deleted_at or any(getattr(row, name) != value for name, value in values.items())):
            for name, value in values.items():
                setattr(row, name, value)
            row.deleted_at = None
            changed.append(row)
    if changed:
        manager.bulk_update(changed, [*next(iter(wanted.values())), "deleted_at"], batch_size=CHUNK)
    gone = rows.filter(pk__in=[row.pk for one, row in stored.items() if one not in wanted], deleted_at=None)
    ended = end_tags(gone, now=now) if model is Tag else gone.update(deleted_at=now)
    return bool(new or changed or ended)


def end_tags(tags: QuerySet[Tag], *, now: datetime) -> int:
    """Mark tags as gone, and take them from whoever has them; returns how many. If one comes back, the next run finds
    those customers different and gives it back to them."""
    keys = list(tags.values_list("pk", flat=True))
    links = Follower.tags.through._default_manager.filter(tag__in=keys)
    Follower.objects.filter(pk__in=links.values("follower_id")).update(content_hash="")
    links.delete()
    return Tag.objects.filter(pk__in=keys).update(deleted_at=now)


@dataclass(frozen=True, slots=True)
class CustomerWriting:
    """Writes what was read of ``config``. ``newer``: external userids of customers that were written, or marked to be
    read, since the reading began; they are left alone with all their followers."""

    config: WeComConfig
    now: datetime
    newer: frozenset[str]

    def contacts(self, blocks: Iterable[Sequence[Sequence[Any]]]) -> None:
        """Rows: ID, the values of CONTACT, hash."""
        for block in blocks:
            rows = [
                ExternalContact(
                    config=self.config,
                    external_userid=external_userid,
                    content_hash=content_hash,
                    synced_at=self.now,
                    **dict(zip(CONTACT, values, strict=True)),
                )
                for external_userid, *values, content_hash in block
                if external_userid not in self.newer
            ]
            ExternalContact.objects.bulk_create(
                rows,
                batch_size=CHUNK,
                update_conflicts=True,
                unique_fields=["config", "external_userid"],
                update_fields=[*CONTACT, "content_hash", "synced_at", "deleted_at"],
            )

    def followers(self, blocks: Iterable[Sequence[Sequence[Any]]]) -> None:
        """Rows: customer's ID, the values of FOLLOWER, IDs of the tags, hash. The customers are there."""
        tags = dict(Tag.objects.filter(config=self.config).values_list("tag_id", "pk"))
        for block in blocks:
            rows = [row for row in block if row[0] not in self.newer]
            customers = self._customers(row[0] for row in rows)
            members = self._members(row[1] for row in rows)
            self._respell(rows, customers)
            Follower.objects.bulk_create(
                [_follower(row, customers[row[0]], members.get(row[1].lower())) for row in rows],
                batch_size=CHUNK,
                update_conflicts=True,
                unique_fields=["customer", "userid"],
                update_fields=[*FOLLOWER[1:], "member", "content_hash", "deleted_at"],
            )
            self._tag(rows, customers, tags)

    def _customers(self, external_userids: Iterable[str]) -> dict[str, int]:
        rows = ExternalContact.objects.filter(config=self.config, external_userid__in=set(external_userids))
        return dict(rows.values_list("external_userid", "pk"))

    def _members(self, userids: Iterable[str]) -> dict[str, int]:
        rows = Member.objects.filter(config=self.config).annotate(folded=Lower("userid"))
        return dict(rows.filter(folded__in={userid.lower() for userid in userids}).values_list("folded", "pk"))

    def _respell(self, rows: Sequence[Sequence[Any]], customers: Mapping[str, int]) -> None:
        """Userids are told apart without regard to case, our unique key is not."""
        spelt = {(customers[row[0]], row[1].lower()): row[1] for row in rows}
        stored = Follower.objects.filter(customer__in=customers.values()).values_list("pk", "customer_id", "userid")
        for pk, customer_id, userid in stored:
            wanted = spelt.get((customer_id, userid.lower()), userid)
            if wanted != userid:
                Follower.objects.filter(pk=pk).update(userid=wanted)

    def _tag(self, rows: Sequence[Sequence[Any]], customers: Mapping[str, int], tags: Mapping[str, int]) -> None:
        stored = Follower.objects.filter(customer__in=customers.values()).values_list("customer_id", "userid", "pk")
        keys = {(customer_id, userid): pk for customer_id, userid, pk in stored}
        through: Any = Follower.tags.through
        wanted = {
            (keys[customers[row[0]], row[1]], tags[tag_id])
            for row in rows
            for tag_id in row[_FOLLOWER_AT]
            if tag_id in tags
        }
        followers = {keys[customers[row[0]], row[1]] for row in rows}
        links = through.objects.filter(follower__in=followers).values_list("pk", "follower_id", "tag_id")
        there = {(follower, tag): pk for pk, follower, tag in links}
        through.objects.filter(pk__in=[pk for link, pk in there.items() if link not in wanted]).delete()
        new = [through(follower_id=follower, tag_id=tag) for follower, tag in sorted(wanted - there.keys())]
        through.objects.bulk_create(new, batch_size=CHUNK, ignore_conflicts=True)

    def gone(self, external_userids: Sequence[str], follower_keys: Sequence[tuple[str, str]]) -> None:
        """Mark customers, and relations (customer's ID, folded userid), as ended."""
        customers = [one for one in external_userids if one not in self.newer]
        for start in range(0, len(customers), CHUNK):
            rows = ExternalContact.objects.filter(config=self.config, deleted_at=None)
            rows.filter(external_userid__in=customers[start : start + CHUNK]).update(
                deleted_at=self.now, synced_at=self.now
            )
        ended = [key for key in follower_keys if key[0] not in self.newer]
        for start in range(0, len(ended), CHUNK):
            self._end(set(ended[start : start + CHUNK]))

    def _end(self, keys: set[tuple[str, str]]) -> None:
        followers = Follower.objects.filter(customer__config=self.config, deleted_at=None)
        found = followers.filter(customer__external_userid__in={key[0] for key in keys})
        gone = [
            pk
            for pk, external_userid, userid in found.values_list("pk", "customer__external_userid", "userid")
            if (external_userid, userid.lower()) in keys
        ]
        Follower.objects.filter(pk__in=gone).update(deleted_at=self.now)

    def settle(self, followers: QuerySet[Follower]) -> None:
        """What no single row of ``followers`` tells: members that became known after their customers, and customers
        who were added again after they had removed a member."""
        members = Member.objects.filter(config=self.config).annotate(folded=Lower("userid"))
        same = members.filter(folded=Lower(OuterRef("userid"))).values("pk")
        found = followers.filter(Exists(same), member=None, deleted_at=None)
        if found.exists():
            found.update(member=Subquery(same[:1]))
        back = followers.filter(removed_by_customer_at__lt=F("since")).values_list("pk", flat=True)
        Follower.objects.filter(pk__in=list(back)).update(removed_by_customer_at=None)


def _follower(row: Sequence[Any], customer_id: int, member_id: int | None) -> Follower:
    values = dict(zip(FOLLOWER, row[1:_FOLLOWER_AT], strict=True))
    since = values.pop("since")
    return Follower(
        customer_id=customer_id,
        member_id=member_id,
        content_hash=row[_FOLLOWER_AT + 1],
        since=None if since is None else datetime.fromtimestamp(since, UTC),
        **values,
    )
