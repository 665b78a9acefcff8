"""From a press on a card until the last of twenty phones shows the result, at five decisions a second.

In one shape any of the twenty decides and they share a message; in the other all must agree, each has a message of
their own, and it is the last of them who presses.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import requests
from django.utils import timezone

from approvals.cards import facts
from approvals.cards.faces import AGREE, Stage, digest_of
from approvals.models import (
    ApprovalCard,
    ApprovalInstance,
    CardState,
    InstanceStatus,
    OperationKind,
    Relation,
    SyncOperation,
)
from approvals.record import operation, queue
from config import durable
from config.bench import seed
from config.bench.control import post
from config.bench.plan import Plan, say
from config.bench.stage import Stage as BenchStage
from config.bench.table import Line
from config.children import free_port
from config.testing.processes import wait_until
from wecom.models import Member

RECIPIENTS = 20
PER_SECOND = 5
CROWD = [f"crowd{number:03d}" for number in range(1000)]
APPLICANTS = CROWD[800:]
"""So many, and so many groups of recipients, that nobody gets more messages than WeCom delivers in a minute."""
GROUPS = [CROWD[start : start + RECIPIENTS] for start in range(0, 800, RECIPIENTS)]
WARM_UP = 10
LONGEST = 600.0
PATIENCE = 60.0
"""Seconds after the last press before a card counts as not replaced."""
BARS = (("p50", 50, 1.5), ("p99", 99, 4))


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    relation: Relation
    agreed: int
    """Of the twenty, before the press that is measured."""
    share: float
    """Of the plan's seconds; sending twenty messages for each approval takes long."""


SHAPES = (
    Shape("of 20 who share a message", Relation.ANY, 0, 1),
    Shape("of 20 with a message each", Relation.ALL, RECIPIENTS - 1, 1 / 3),
)


@dataclass(frozen=True, slots=True)
class Press:
    """``tasks``: of all cards of the approval; ``task`` is the one that is pressed by ``userid``."""

    userid: str
    task: str
    tasks: tuple[str, ...]


def run(stage: BenchStage, plan: Plan) -> Iterator[Line]:
    seed.clear()
    Member.objects.bulk_create(Member(config=seed.app(), userid=userid, name=userid.title()) for userid in CROWD)
    port = free_port()
    with stage.stack("clicks") as stack:
        standin = stack.standin(callback_url=f"http://127.0.0.1:{port}/wecom/callback").url
        post(standin, "settings", calls_per_minute=0)
        stack.web(port=port)
        stack.worker(concurrency=2)
        for shape in SHAPES:
            presses = _sent(shape, round(plan.seconds * shape.share * PER_SECOND) + WARM_UP)
            _measure(standin, presses[:WARM_UP])
            before = _calls(standin)
            took = _measure(standin, presses[WARM_UP:])
            calls = (_calls(standin) - before) / len(presses[WARM_UP:])
            say(f"clicks: {len(took)} decisions, cards {shape.name}: {calls:.1f} updates each")
            yield from _lines(shape, took, len(presses) - WARM_UP)


def _lines(shape: Shape, took: Sequence[float], pressed: int) -> Iterator[Line]:
    rate = f"{PER_SECOND} decisions/s"
    for quantile, share, limit in BARS:
        seconds = took[len(took) * share // 100]
        name = f"press to last card {shape.name}: {quantile}"
        yield Line(name, rate, f"{seconds:.3f} s", seconds, "at most", limit, "s")
    lost = pressed - len(took)
    yield Line(
        f"press to last card {shape.name}: not replaced", f"{pressed} decisions", str(lost), lost, "at most", 0, ""
    )


def _sent(shape: Shape, count: int) -> list[Press]:
    """Approvals whose cards are on the phones, ready for the press that ends them."""
    groups = [GROUPS[place % len(GROUPS)] for place in range(count)]
    instances = seed.waiting_here(groups, shape.relation, applicants=APPLICANTS)
    queue(*(operation(row, OperationKind.CARDS, what="sent") for row in instances))
    wait_until(lambda: not _working(), LONGEST, "all cards are sent", interval=0.2)
    cards: dict[int, list[ApprovalCard]] = {row.pk: [] for row in instances}
    for card in ApprovalCard.objects.filter(instance__in=instances).order_by("pk"):
        cards[card.instance_id].append(card)
    if shape.agreed:
        _agree(instances, cards, shape.agreed)
    return [
        _press(cards[row.pk], group[-1 if shape.agreed else place % RECIPIENTS])
        for place, (row, group) in enumerate(zip(instances, groups, strict=True))
    ]


def _working() -> bool:
    return SyncOperation.objects.filter(status__in=durable.OPEN).exists()


def _agree(instances: Sequence[ApprovalInstance], cards: Mapping[int, Sequence[ApprovalCard]], agreed: int) -> None:
    """As the first ``agreed`` of each approval leave it: their cards wait for the others, and can be changed once
    more."""
    for row in instances:
        row.steps.filter(position__lt=agreed).update(status="approved", time=timezone.now())
    shown = digest_of(facts.read(instances[0]), Stage.PASSED)
    passed = [card.pk for of_one in cards.values() for card in of_one[:agreed]]
    ApprovalCard.objects.filter(pk__in=passed).update(state=CardState.PASSED, shown=shown)


def _press(cards: Sequence[ApprovalCard], userid: str) -> Press:
    (mine,) = (card for card in cards if userid in card.userids)
    if sum(len(card.userids) for card in cards) != RECIPIENTS or any(card.state == CardState.QUEUED for card in cards):
        raise RuntimeError("not everybody has got a card")
    return Press(userid, mine.task_id, tuple(card.task_id for card in cards))


def _measure(url: str, presses: Sequence[Press]) -> list[float]:
    """Seconds from the moment a press was due until the last card had been replaced; sorted, without the lost."""
    due: list[float] = []
    with requests.Session() as session:
        for place, press in enumerate(presses):
            due.append(due[0] + place / PER_SECOND if due else time.time())
            time.sleep(max(0.0, due[-1] - time.time()))
            body = {"userid": press.userid, "task_id": press.task, "key": AGREE}
            session.post(f"{url}/standin/api/cards/click", json=body, timeout=LONGEST).raise_for_status()
        deadline = time.time() + PATIENCE
        while time.time() < deadline and (_working() or not _decided(presses)):
            time.sleep(0.2)
        ends = [_replaced_at(session, url, press) for press in presses]
    return sorted(end - began for began, end in zip(due, ends, strict=True) if end is not None)


def _decided(presses: Sequence[Press]) -> bool:
    decided = ApprovalCard.objects.filter(instance__status=InstanceStatus.APPROVED)
    return decided.filter(task_id__in=[press.task for press in presses]).count() == len(presses)


def _replaced_at(session: requests.Session, url: str, press: Press) -> float | None:
    """When the last of the approval's cards was replaced (Unix seconds), if all were."""
    shown = []
    for task in press.tasks:
        answer = session.get(f"{url}/standin/api/cards", params={"task_id": task}, timeout=LONGEST)
        shown += answer.json()["cards"]
    if len(shown) != RECIPIENTS or any(card["keys"] or card["updated_at"] is None for card in shown):
        return None
    return max(card["updated_at"] for card in shown)


def _calls(url: str) -> int:
    calls = requests.get(f"{url}/standin/api/stats", timeout=LONGEST).json()["calls"]
    return sum(answers["total"] for endpoint, answers in calls.items() if endpoint.endswith("update_template_card"))
