"""What a decision costs the database, and what it queues."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import engine
from approvals.actors import Actor
from approvals.exceptions import NotAllowed
from approvals.models import Channel

pytestmark = pytest.mark.django_db

BY_THE_WAY = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
OF_PERMISSIONS = ("auth_permission", "auth_group")


def statements(context: CaptureQueriesContext) -> list[str]:
    """Without transaction control and the look-up of the actor's rights."""
    found = [query["sql"] for query in context.captured_queries]
    return [
        sql
        for sql in found
        if not sql.upper().startswith(BY_THE_WAY) and not any(name in sql for name in OF_PERMISSIONS)
    ]


@pytest.mark.parametrize(("flow", "sp_no"), [("internal", ""), ("wecom_oa", "202601050001")])
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_decision_costs_at_most_eight_statements(submitted, wang, as_actor, flow, sp_no, verb):
    instance = submitted(flow=flow, approvers=["wang.boss"], sp_no=sp_no)
    actor = as_actor(wang)
    words = {"reason": "too dear"} if verb == "reject" else {"comment": "good"}
    with CaptureQueriesContext(
        connection,
    ) as context:
        decided = getattr(engine, verb)(instance=instance, actor=actor, **words)
    assert decided.status in ("approved", "rejected")
    made = statements(context)
    assert len(made) <= 8, "\n".join(made)


def test_a_decision_queues_cards_and_text_together(submitted, wang, as_actor):
    instance = submitted(flow="internal", approvers=["wang.boss"])
    before = set(instance.operations.values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as context:
        engine.approve(instance=instance, actor=as_actor(wang))
    rows = instance.operations.exclude(pk__in=before).order_by("pk")
    assert [row.kind for row in rows] == ["cards", "tell"]
    assert sum("INSERT INTO" in sql and "syncoperation" in sql for sql in statements(context)) == 1


def test_the_event_that_a_decision_came_with_is_kept(submitted, wang):
    instance = submitted(flow="internal", approvers=["wang.boss"])
    engine.approve(instance=instance, actor=Actor(channel=Channel.WECOM, userid="wang.boss"), event_id="e-1")
    assert instance.timeline.get(event_id="e-1").action == "approve"


def test_a_decision_for_one_node_is_never_taken_in_another_or_for_everybody(submitted, wang, ada, as_actor):
    instance = submitted(flow="internal", approvers=["wang.boss"])
    for actor, node in ((as_actor(wang), 1), (as_actor(ada), 0)):
        with pytest.raises(NotAllowed) as refusal:
            engine.approve(instance=instance, actor=actor, node=node)
        assert refusal.value.code == "not_your_turn"
    instance.refresh_from_db()
    assert instance.status == "pending"
