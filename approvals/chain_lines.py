"""The chain of an approval as people read it: who stands in each place, whose turn it is, what they decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext as _

from approvals.models import ApprovalInstance, ApprovalStep, StepStatus
from approvals.models.instances import LIVE
from approvals.steps import open_steps
from approvals.words import STEP_TONES
from wecom.directory import names_of


@dataclass(frozen=True, slots=True)
class StepLine:
    step: ApprovalStep
    who: str
    delegate: str
    """Who may decide as well; empty if nobody."""
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class NodeLines:
    """One place of the chain."""

    rule: str
    """How its people agree; empty for one person."""
    steps: list[StepLine]


def chain_lines(instance: ApprovalInstance, steps: Sequence[ApprovalStep]) -> list[NodeLines]:
    """``steps``: those of ``instance``, in the order of the chain. One query, for names."""
    people = [userid for step in steps for userid in (step.userid, step.delegated_to) if userid]
    names = names_of(people, config_id=instance.config_id)
    turn = open_steps(steps) if instance.status in LIVE or instance.remote_pending else []
    nodes = []
    for _node, group in groupby(steps, key=lambda step: step.node):
        members = list(group)
        deciding = [step for step in members if step.kind != "cc"]
        rule = str(deciding[0].get_relation_display()) if len(deciding) > 1 else ""
        nodes.append(NodeLines(rule, [_line(step, names, turn) for step in members]))
    return nodes


def _line(step: ApprovalStep, names: Mapping[str, str], turn: Sequence[ApprovalStep]) -> StepLine:
    return StepLine(
        step=step,
        who=step.name or names.get(step.userid.casefold(), step.userid),
        delegate=names.get(step.delegated_to.casefold(), step.delegated_to),
        state=_state(step, turn),
        tone="info" if step in turn else STEP_TONES[step.status],
    )


def _state(step: ApprovalStep, turn: Sequence[ApprovalStep]) -> str:
    """Of the pending ones, only those whose turn it is are waited for."""
    if step.kind == "cc":
        return _("Gets a copy")
    if step.status != StepStatus.PENDING or step in turn:
        return str(step.get_status_display())
    return _("Turn has not come") if turn and step.node >= turn[0].node else _("Not needed any more")
