"""A project as the page shows it: steps, facts, people and history. No request and no database in here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projects.document import format_time
from projects.models import ProjectStatus, ProjectStatusChange, ProjectType, Role
from projects.page.fields import HEAD, NAMES, in_order, name_of, value_text

USUAL_STEPS: dict[str, tuple[str, ...]] = {
    ProjectType.PRESALE: ("pending", "processing", "completed"),
    ProjectType.AFTERSALES: ("pending", "processing", "resolved", "completed"),
    ProjectType.SALES: ("pending", "processing", "shipped", "completed"),
}
"""The way of a project by its type: a repair is resolved, an order is shipped, an enquiry neither. A project that went
another way (a repair whose part was shipped) shows that step as well: its present state and its past ones always
stand among the steps, at their place in the order of ProjectStatus."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as people read it, and for machines."""

    text: str
    iso: str


@dataclass(frozen=True, slots=True)
class Step:
    status: str
    name: str
    state: str
    """``done``, ``current`` or ``ahead``"""
    reached: Moment | None
    last: bool


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One change of status."""

    before: str
    after: str
    at: Moment


@dataclass(frozen=True, slots=True)
class Person:
    role: str
    name: str


@dataclass(frozen=True, slots=True)
class ProjectView:
    """Everything about the project itself that ``templates/project/page.html`` writes."""

    number: str
    title: str
    kind: str
    status: str
    status_name: str
    steps: list[Step]
    facts: list[Fact]
    more: list[Fact]
    people: list[Person]
    history: list[Turn]


def present(
    project: Mapping[str, Any], changes: Iterable[ProjectStatusChange], *, pattern: str, zone: str
) -> ProjectView:
    """``project`` is what its link may see (``projects.document``), ``changes`` its changes of status, newest first;
    ``pattern`` and ``zone`` are those of the time display."""
    kind, status = str(project["type"]), str(project["status"])
    turns = [(change.old_status, change.new_status, _moment(change.at, pattern, zone)) for change in changes]
    reached = {after: at for _before, after, at in reversed(turns)}
    been = {before for before, _after, _at in turns} | set(reached)
    known = in_order(kind, [key for key in project if key not in HEAD])
    return ProjectView(
        number=str(project["id"]),
        title=str(project["title"]),
        kind=_label(ProjectType, kind),
        status=status,
        status_name=_label(ProjectStatus, status),
        steps=_steps(kind, status, been=been, reached=reached),
        facts=_facts(project, known),
        more=_facts(project, [key for key in project if key not in HEAD and key not in NAMES]),
        people=_people(project.get("stakeholders")),
        history=[Turn(_label(ProjectStatus, before), _label(ProjectStatus, after), at) for before, after, at in turns],
    )


def _steps(kind: str, status: str, *, been: set[str], reached: Mapping[str, Moment]) -> list[Step]:
    """A step behind the present one is done; one ahead is ahead, even if the project had been there before."""
    order = [word for word in ProjectStatus.values if word in USUAL_STEPS.get(kind, ()) or word in been | {status}]
    now = order.index(status) if status in order else -1
    return [
        Step(
            status=word,
            name=_label(ProjectStatus, word),
            state="done" if place < now else "current" if place == now else "ahead",
            reached=reached.get(word) if place <= now else None,
            last=place == len(order) - 1,
        )
        for place, word in enumerate(order)
    ]


def _moment(at: datetime, pattern: str, zone: str) -> Moment:
    return Moment(format_time(at, pattern, zone), at.isoformat())


def _facts(project: Mapping[str, Any], keys: Iterable[str]) -> list[Fact]:
    texts = ((key, value_text(project[key])) for key in keys)
    return [Fact(name_of(key), text) for key, text in texts if text]


def _people(stakeholders: Any) -> list[Person]:
    """Our own people; the customer knows who they are."""
    rows = stakeholders if isinstance(stakeholders, list) else []
    return [
        Person(_label(Role, row["role"]), str(row["name"]))
        for row in rows
        if row.get("name") and row.get("role") in (Role.ENGINEER, Role.SALESMAN)
    ]


def _label(words: type[ProjectStatus | ProjectType | Role], word: str) -> str:
    return str(dict(words.choices).get(word, word))
