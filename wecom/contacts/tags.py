"""``change_external_tag`` (doc 92130): one call reads all tags, so any change is a reason to read them."""

from __future__ import annotations

from django.utils import timezone

from wecom.contacts.event import APPLIED, NOTED, ContactEvent
from wecom.contacts.refreshes import mark_due
from wecom.contacts.telling import tell
from wecom.directory_sync.customers_writing import end_tags
from wecom.models import RefreshKind, Tag, TagGroup

GROUP = "tag_group"


def changed(event: ContactEvent) -> str:
    """``create``, ``update`` and ``shuffle`` (the order is another)."""
    mark_due(event.config_id, RefreshKind.TAGS)
    return NOTED


def deleted(event: ContactEvent) -> str:
    """``delete``. Of the tags of a deleted group WeCom says nothing: they have gone with it."""
    mark_due(event.config_id, RefreshKind.TAGS)
    now, key = timezone.now(), event.text("id")
    tags = Tag.objects.filter(config=event.config_id, deleted_at=None)
    ended = 0
    if event.text("tagtype") == GROUP:
        ended = TagGroup.objects.filter(config=event.config_id, group_id=key, deleted_at=None).update(deleted_at=now)
        tags = tags.filter(group__group_id=key)
    else:
        tags = tags.filter(tag_id=key)
    ended += end_tags(tags, now=now)
    if not ended:
        return NOTED
    tell(event.config_id, RefreshKind.TAGS, "deleted", key)
    return APPLIED
