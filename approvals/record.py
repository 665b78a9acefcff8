"""Writing down what happened: timeline entries, and the state of an approval together with its quote.

Used by the engine inside its transactions; nothing else writes these columns.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals.actors import Actor
from approvals.exceptions import WrongState
from approvals.models import (
    ApprovalInstance,
    ApprovalStep,
    ApprovalTimeline,
    Channel,
    Flow,
    InstanceStatus,
    OperationKind,
    Outcome,
    Quote,
    SyncOperation,
)
from approvals.models.instances import LIVE
from approvals.transitions import LOCAL, QUOTE_STATUS
from config import statements
from config.durable import wake_on_commit
from config.statements import Place, Select, Update

CONTROLLED = (
    "sp_no",
    "status",
    "decided_channel",
    "decided_at",
    "remote_status",
    "remote_status_code",
    "remote_changed_at",
    "remote_pending",
    "conflict",
    "error_code",
    "error_message",
    "paid_at",
    "last_synced_at",
    "last_reminded_at",
)
"""Columns of an instance that change after its creation."""
LONGEST_ACTOR = 150
"""Characters; first and last name of a user may be twice as long together."""
_LOCKED = Select(
    lambda: ApprovalInstance.objects.select_related("quote").select_for_update(of=("self",)).filter(pk=Place("key"))
)
_QUOTE_FOLLOWS = Update(
    lambda: Quote.objects.filter(
        ~Exists(ApprovalInstance.objects.filter(quote=OuterRef("pk"), pk__gt=Place("instance"))),
        pk=Place("quote"),
        revision=Place("of_revision"),
    ),
    "approval_status",
    "status",
    "updated_at",
)


class Entry(NamedTuple):
    """What was appended to a timeline."""

    pk: int
    comment: str


class Operation(NamedTuple):
    """An outbound effect that is to be queued: columns of SyncOperation."""

    key: str
    instance_id: int
    kind: OperationKind
    payload: dict[str, Any]


def write_entry(
    instance: ApprovalInstance,
    *,
    actor: Actor,
    action: str,
    outcome: Outcome,
    from_status: str,
    comment: str = "",
    event_id: str = "",
    at: datetime | None = None,
    details: dict[str, Any] | None = None,
) -> Entry:
    """Append one entry; ``to_status`` is the instance's state now. ``event_id`` is made up for local actions."""
    entry = {
        "instance_id": instance.pk,
        "event_id": event_id or f"{actor.channel}:{uuid.uuid4()}",
        "at": at or timezone.now(),
        "channel": actor.channel,
        "actor": actor.label[:LONGEST_ACTOR],
        "action": action,
        "from_status": from_status,
        "to_status": instance.status,
        "outcome": outcome,
        "comment": comment,
        "details": details or {},
    }
    [key] = statements.insert(ApprovalTimeline, [entry])
    return Entry(key, comment)


def move(instance: ApprovalInstance, status: InstanceStatus, *, channel: str, at: datetime | None = None) -> None:
    """Set the approval's state in memory; ``save`` writes it."""
    if status == instance.status:
        return
    instance.status = status
    if status in (InstanceStatus.SUBMITTING, InstanceStatus.PENDING):
        return
    instance.decided_channel = channel
    instance.decided_at = at or timezone.now()


def save(instance: ApprovalInstance, *, before: dict[str, Any]) -> None:
    """Write what changed since ``before`` (see ``controlled``) and let the quote follow."""
    changed = [name for name in CONTROLLED if getattr(instance, name) != before[name]]
    statements.update([instance], {name: getattr(instance, name) for name in changed})
    if "status" in changed:
        quote_follows(instance)


def controlled(instance: ApprovalInstance) -> dict[str, Any]:
    """The controlled columns as they are now, to compare with later."""
    return {name: getattr(instance, name) for name in CONTROLLED}


def quote_follows(instance: ApprovalInstance) -> None:
    """Give the quote the state of its latest approval. A late word about an older one, or about a revision that has
    been superseded, must not touch it."""
    status = InstanceStatus(instance.status)
    _QUOTE_FOLLOWS.write(
        {"approval_status": status, "status": QUOTE_STATUS[status], "updated_at": timezone.now()},
        instance=instance.pk,
        quote=instance.quote_id,
        of_revision=instance.revision,
    )


def operation(
    instance: ApprovalInstance, kind: OperationKind, *, what: str = "", payload: dict[str, Any] | None = None
) -> Operation:
    """One outbound effect, not yet queued; the key makes it unique."""
    key = f"{kind}:{instance.pk}" + (f":{what}" if what else "")
    return Operation(key, instance.pk, kind, payload or {})


def queue(*operations: Operation) -> None:
    """Queue outbound effects, in the transaction of their cause and in one statement. Those of one approval are carried
    out in this order."""
    if operations:
        statements.insert(SyncOperation, [operation._asdict() for operation in operations])
        wake_on_commit(SyncOperation)


def tell(instance: ApprovalInstance, *, actor: Actor, entry: Entry, to: list[str], verb: str) -> None:
    """Tell members in WeCom what was done here, by a text.

    Never for something that was done in WeCom's own form: nothing is repeated there. (In the flow that is decided here
    WeCom has no form, and a press on a card says nothing to anybody else.) Whoever did it knows, but is told all the
    same while they have to act in WeCom as well.
    """
    queue(*_texts(instance, actor, entry, to, verb))


def announce(instance: ApprovalInstance, *, actor: Actor, entry: Entry, to: list[str], verb: str) -> None:
    """Queue, in the transaction of what was done, all that people in WeCom are to see of it.

    ``to``: whom a text tells of it while the form is WeCom's. In the flow that is decided here the approvers see it on
    their cards; a text tells only the applicant how it ended, and whoever is reminded.
    """
    if instance.flow != Flow.INTERNAL or verb == "remind":
        queue(*_texts(instance, actor, entry, to, verb))
    else:
        ended = [] if instance.status in LIVE else [instance.applicant_userid]
        queue(*_cards(instance, entry), *_texts(instance, actor, entry, ended, verb))


def renew_cards(instance: ApprovalInstance, entry: Entry, **payload: Any) -> None:
    """Queue that the cards in WeCom are made to show what is true now, because of ``entry``."""
    queue(*_cards(instance, entry, **payload))


def _cards(instance: ApprovalInstance, entry: Entry, **payload: Any) -> list[Operation]:
    if instance.flow != Flow.INTERNAL or instance.config_id is None:
        return []
    return [operation(instance, OperationKind.CARDS, what=str(entry.pk), payload=payload)]


def _texts(instance: ApprovalInstance, actor: Actor, entry: Entry, to: list[str], verb: str) -> list[Operation]:
    has_to_act = instance.remote_pending or verb == "start"
    knows = "" if has_to_act else actor.userid_in(instance.corp_id).casefold()
    recipients = sorted({userid for userid in to if userid and userid.casefold() != knows})
    done_there = actor.channel == Channel.WECOM and instance.flow != Flow.INTERNAL
    if done_there or not recipients or instance.config_id is None:
        return []
    payload = {"verb": verb, "to": recipients, "actor": actor.label, "comment": entry.comment}
    return [operation(instance, OperationKind.TELL, what=str(entry.pk), payload=payload)]


def lock(instance: ApprovalInstance) -> ApprovalInstance:
    """The approval's row, locked until the end of the transaction."""
    return _LOCKED.get(key=instance.pk)


def lock_for(instance: ApprovalInstance, verb: str) -> ApprovalInstance:
    """The row, locked, in a state that allows ``verb``. Raises WrongState."""
    instance = lock(instance)
    if instance.status not in LOCAL[verb]:
        raise WrongState(_("The approval is no longer in a state that allows this."), current=state_of(instance))
    return instance


def await_wecom(instance: ApprovalInstance, known: Sequence[ApprovalStep]) -> None:
    """``remote_pending``: something was decided here that WeCom's own, still open flow does not show."""
    if instance.flow == Flow.INTERNAL:
        return
    open_there = bool(instance.sp_no) if instance.remote_status == "" else instance.remote_status == "pending"
    decided = instance.status not in (*LIVE, InstanceStatus.FAILED)
    steps_decided = any(step.decided_here for step in known)
    instance.remote_pending = open_there and (decided or steps_decided)


def state_of(instance: ApprovalInstance) -> dict[str, object]:
    """The state that a refused request is told."""
    return {"id": instance.pk, "status": instance.status, "remote_status": instance.remote_status}


def another_is_live(instance: ApprovalInstance) -> bool:
    """Whether a different submission of the same quote is under way."""
    return ApprovalInstance.objects.filter(quote=instance.quote_id, status__in=LIVE).exclude(pk=instance.pk).exists()
