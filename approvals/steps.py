"""The approvers' places: whose turn it is, whether all have agreed, and how WeCom's nodes become our steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from approvals.chain import Chain, everybody
from approvals.models import ApprovalInstance, ApprovalStep, Relation, StepStatus
from config.statements import Place, Select
from wecom.directory import names_of
from wecom.snapshots import RemoteStep

AGREED = frozenset({StepStatus.APPROVED, StepStatus.HANDLED})
GONE = frozenset({StepStatus.TRANSFERRED, StepStatus.HANDED_OVER, StepStatus.ADDED, StepStatus.RETURNED})
"""The person passed the turn on; somebody else's step counts in its place."""
MIRRORED = ("kind", "relation", "userid", "name", "status", "comment", "time", "decided_here", "delegated_to")
_OF = Select(lambda: ApprovalStep.objects.filter(instance=Place("instance")).order_by("node", "position"))


def of(instance: ApprovalInstance) -> list[ApprovalStep]:
    """The approvers' places as they are stored, in their order."""
    return _OF.all(instance=instance.pk)


def open_steps(steps: Iterable[ApprovalStep]) -> list[ApprovalStep]:
    """The steps whose turn it is: the pending ones of the first node that is not complete."""
    for _node, group in groupby(_deciding(steps), key=lambda step: step.node):
        members = list(group)
        if not _complete(members):
            waiting = [step for step in members if step.status == StepStatus.PENDING]
            return waiting[:1] if members[0].relation == Relation.IN_TURN else waiting
    return []


def all_agreed(steps: Iterable[ApprovalStep]) -> bool:
    """Whether every node is complete. A flow without known steps is complete with its first decision."""
    return all(_complete(list(group)) for _node, group in groupby(_deciding(steps), key=lambda step: step.node))


def agreed_in_both_places(known: Iterable[ApprovalStep], remote: Sequence[RemoteStep]) -> bool:
    """Whether all have agreed, some of them here and the others, as ``remote`` shows, in WeCom. Whoever agreed here has
    agreed, whatever they do in WeCom afterwards."""
    here = {(step.node, step.userid.casefold()) for step in known if step.decided_here and step.status in AGREED}
    if not any((step.node, step.userid.casefold()) in here and step.status not in AGREED for step in remote):
        return False
    return all_agreed(
        ApprovalStep(
            node=step.node,
            position=position,
            kind=step.kind,
            relation=step.relation,
            userid=step.userid,
            status=StepStatus.APPROVED if (step.node, step.userid.casefold()) in here else step.status,
        )
        for position, step in enumerate(remote)
    )


def _deciding(steps: Iterable[ApprovalStep]) -> list[ApprovalStep]:
    return sorted((step for step in steps if step.kind != "cc"), key=lambda step: (step.node, step.position))


def _complete(node: Sequence[ApprovalStep]) -> bool:
    counting = [step for step in node if step.status not in GONE]
    agreed = [step.status in AGREED for step in counting]
    return any(agreed) if node[0].relation == Relation.ANY else all(agreed)


def belongs_to(step: ApprovalStep, userid: str) -> bool:
    """Whether ``userid`` may decide this step: its approver, or the delegate. Userids compare folded (doc 90195)."""
    return bool(userid) and userid.casefold() in (step.userid.casefold(), step.delegated_to.casefold())


def build(instance: ApprovalInstance, chain: Chain) -> list[ApprovalStep]:
    """Unsaved steps of a flow as it was asked for."""
    names = names_of(everybody(chain), config_id=instance.config_id)
    return [
        ApprovalStep(
            instance=instance,
            node=number,
            position=position,
            relation=node.relation,
            userid=userid,
            name=names.get(userid.casefold(), ""),
        )
        for number, node in enumerate(chain)
        for position, userid in enumerate(node.userids)
    ]


def mirror(
    instance: ApprovalInstance, remote: Sequence[RemoteStep], known: Sequence[ApprovalStep]
) -> list[ApprovalStep]:
    """Make our steps those of WeCom and return them; writes only if something differs.

    A decision taken here stays on its step until WeCom's own node leaves ``pending``.
    """
    if not remote:
        return list(known)
    before = {(step.node, step.position): step for step in known}
    after = _placed(instance, remote, before)
    changed = [step for place, step in after.items() if not _same(step, before.get(place))]
    if changed:
        missing_names = names_of((step.userid for step in changed if not step.name), config_id=instance.config_id)
        for step in changed:
            step.name = step.name or missing_names.get(step.userid.casefold(), "")
        ApprovalStep.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["instance", "node", "position"], update_fields=MIRRORED
        )
    gone = [step.pk for place, step in before.items() if place not in after]
    if gone:
        ApprovalStep.objects.filter(pk__in=gone).delete()
    return list(after.values())


def _placed(
    instance: ApprovalInstance, remote: Sequence[RemoteStep], before: dict[tuple[int, int], ApprovalStep]
) -> dict[tuple[int, int], ApprovalStep]:
    own = {(step.node, step.userid.casefold()): step for step in before.values()}
    after: dict[tuple[int, int], ApprovalStep] = {}
    for node, group in groupby(remote, key=lambda step: step.node):
        for position, theirs in enumerate(group):
            ours = own.get((node, theirs.userid.casefold()))
            after[node, position] = _merged(instance, node, position, theirs, ours)
    return after


def _merged(
    instance: ApprovalInstance, node: int, position: int, theirs: RemoteStep, ours: ApprovalStep | None
) -> ApprovalStep:
    keep_ours = ours is not None and ours.decided_here and theirs.status == StepStatus.PENDING
    return ApprovalStep(
        instance=instance,
        node=node,
        position=position,
        kind=theirs.kind,
        relation=theirs.relation,
        userid=theirs.userid,
        name=theirs.name or (ours.name if ours else ""),
        status=ours.status if ours and keep_ours else theirs.status,
        comment=ours.comment if ours and keep_ours else theirs.comment,
        time=ours.time if ours and keep_ours else theirs.at,
        decided_here=keep_ours,
        delegated_to=ours.delegated_to if ours else "",
    )


def _same(step: ApprovalStep, known: ApprovalStep | None) -> bool:
    return known is not None and all(getattr(step, name) == getattr(known, name) for name in MIRRORED)
