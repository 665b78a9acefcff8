"""``change_external_contact`` (doc 92130): IDs only, so that nearly everything is read from WeCom afterwards."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from wecom.contacts.event import APPLIED, IGNORED, NOTED, UNCHANGED, ContactEvent
from wecom.contacts.refreshes import mark_due
from wecom.contacts.telling import tell
from wecom.directory_sync.customers_values import LONGEST_ID
from wecom.models import ExternalContact, Follower, RefreshKind

TRANSFER_OUTCOMES = {"customer_refused": "transfer_refused", "customer_limit_exceed": "transfer_limit"}


def added(event: ContactEvent) -> str:
    """``add_external_contact`` and ``add_half_external_contact``."""
    if not _due(event):
        return IGNORED
    back = _followers(event).filter(removed_by_customer_at__lt=event.at)
    Follower.objects.filter(pk__in=list(back.values_list("pk", flat=True))).update(removed_by_customer_at=None)
    return NOTED


def edited(event: ContactEvent) -> str:
    """``edit_external_contact``."""
    return NOTED if _due(event) else IGNORED


def given_up_by_member(event: ContactEvent) -> str:
    """``del_external_contact``: the member has deleted the customer, and reads nothing of them any more."""
    if not _due(event):
        return IGNORED
    now = timezone.now()
    ended = list(_followers(event).filter(deleted_at=None).values_list("pk", flat=True))
    if not Follower.objects.filter(pk__in=ended).update(deleted_at=now):
        return UNCHANGED
    customer = ExternalContact.objects.get(config=event.config_id, external_userid=_customer(event))
    followed = Follower.objects.filter(customer=customer, deleted_at=None).exists()
    customer.synced_at = now
    customer.deleted_at = customer.deleted_at if followed else customer.deleted_at or now
    customer.save(update_fields=["synced_at", "deleted_at"])
    tell(event.config_id, RefreshKind.CUSTOMER, "updated" if followed else "deleted", customer.external_userid)
    return APPLIED


def removed_by_customer(event: ContactEvent) -> str:
    """``del_follow_user``: the customer has deleted the member. WeCom goes on telling of both (doc 92114), so the
    relation stays and only says so. Earlier than the member's latest adding, it is of the past."""
    if not _usable(event):
        return IGNORED
    rows = _followers(event).filter(Q(since=None) | Q(since__lt=event.at))
    rows = rows.filter(Q(removed_by_customer_at=None) | Q(removed_by_customer_at__lt=event.at))
    found = list(rows.values_list("pk", flat=True))
    if not Follower.objects.filter(pk__in=found).update(removed_by_customer_at=event.at):
        return UNCHANGED
    tell(event.config_id, RefreshKind.CUSTOMER, "updated", _customer(event))
    return APPLIED


def transfer_failed(event: ContactEvent) -> str:
    """``transfer_fail``: nothing has changed, but whoever has asked for the hand-over wants to know. The reason is the
    event's outcome."""
    if not _usable(event):
        return IGNORED
    reason = TRANSFER_OUTCOMES.get(event.text("failreason"), "transfer_failed")
    tell(event.config_id, RefreshKind.CUSTOMER, "transfer_failed", _customer(event), before=event.text("userid"))
    return reason


def _customer(event: ContactEvent) -> str:
    return event.text("externaluserid")


def _usable(event: ContactEvent) -> bool:
    return all(0 < len(key) <= LONGEST_ID for key in (_customer(event), event.text("userid")))


def _due(event: ContactEvent) -> bool:
    usable = _usable(event)
    if usable:
        mark_due(event.config_id, RefreshKind.CUSTOMER, _customer(event))
    return usable


def _followers(event: ContactEvent) -> Any:
    rows = Follower.objects.annotate(folded=Lower("userid"))
    return rows.filter(
        customer__config=event.config_id,
        customer__external_userid=_customer(event),
        folded=event.text("userid").lower(),
    )
