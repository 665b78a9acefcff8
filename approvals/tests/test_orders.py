"""Whatever order and however often the same words of WeCom arrive, the same state comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals import engine
from approvals.models import ApprovalInstance, SyncOperation
from approvals.tests.snapshots import after, says, step
from wecom.snapshots import RemoteApproval

WANG, ZHAO = "wang.boss", "zhao.vp"


def agreed(userid: str, second: int) -> Any:
    return step(userid, "approved", at=after(second))


LIVES: dict[str, list[RemoteApproval]] = {
    "approved, paid, revoked": [
        says("pending", at=after(0), change_code=1, steps=[step(WANG), step(ZHAO)]),
        says("pending", at=after(10), change_code=2, steps=[agreed(WANG, 9), step(ZHAO)]),
        says("approved", at=after(20), change_code=2, steps=[agreed(WANG, 9), agreed(ZHAO, 19)]),
        says("paid", at=after(30), steps=[agreed(WANG, 9), agreed(ZHAO, 19)]),
        says("revoked", at=after(40), change_code=8, steps=[agreed(WANG, 9), agreed(ZHAO, 19)]),
    ],
    "rejected by the second, then deleted": [
        says("pending", at=after(0), change_code=1, steps=[step(WANG), step(ZHAO)]),
        says("pending", at=after(5), change_code=2, steps=[agreed(WANG, 5), step(ZHAO)]),
        says("rejected", at=after(9), change_code=3, steps=[agreed(WANG, 5), step(ZHAO, "rejected", at=after(9))]),
        says("deleted", at=after(9), steps=[agreed(WANG, 5), step(ZHAO, "rejected", at=after(9))]),
    ],
    "two agree within one second": [
        says("pending", at=after(0), change_code=1, steps=[step(WANG), step(ZHAO), step("third")]),
        says("pending", at=after(7), change_code=2, steps=[agreed(WANG, 7), step(ZHAO), step("third")]),
        says("pending", at=after(7), change_code=2, steps=[agreed(WANG, 7), agreed(ZHAO, 7), step("third")]),
    ],
}


class Undo(Exception):
    """Ends an example and takes its writes back."""


def state_after(instance: ApprovalInstance, words: list[tuple[str, RemoteApproval]]) -> dict[str, Any]:
    """Apply ``words`` in this order in a transaction that is undone; returns what the user would see."""
    seen: dict[str, Any] = {}
    try:
        with transaction.atomic():
            operations = SyncOperation.objects.count()
            for event_id, word in words:
                engine.apply_remote(word, source="callback", event_id=event_id)
            row = ApprovalInstance.objects.select_related("quote").get(pk=instance.pk)
            seen = {
                "status": (row.status, row.quote.approval_status, row.quote.status, row.conflict, row.remote_pending),
                "remote": (row.remote_status, row.remote_status_code),
                "steps": list(row.steps.values_list("userid", "status")),
                "events": set(row.timeline.exclude(action="submit", channel="internal").values_list("event_id"))
                - {(entry,) for entry in row.timeline.filter(channel="system").values_list("event_id", flat=True)},
            }
            assert SyncOperation.objects.count() == operations, "WeCom's words must not be sent back to WeCom"
            raise Undo
    except Undo:
        return seen


@pytest.mark.django_db
@pytest.mark.parametrize("life", LIVES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_and_repetition_ends_in_the_same_state(
    data: st.DataObject, submitted: Callable[..., ApprovalInstance], life: str
) -> None:
    instance = ApprovalInstance.objects.first() or submitted(approvers=[WANG, ZHAO], sp_no="202601050001")
    words = [(f"event-{n}", word) for n, word in enumerate(LIVES[life])]
    repeated = data.draw(st.lists(st.sampled_from(words), max_size=4))
    order = data.draw(st.permutations(words + repeated))
    assert state_after(instance, order) == state_after(instance, words)
