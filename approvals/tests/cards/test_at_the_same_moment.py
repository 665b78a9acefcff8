"""Several people, and several workers, at the same moment: one winner, and every phone shows it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import requests
from django.utils import timezone

from approvals import engine, operations, quotes
from approvals.actors import actor_for
from approvals.exceptions import WrongState
from approvals.models import ApprovalCard, ApprovalInstance, CardCode, Channel, SyncOperation
from approvals.tests.conftest import CONTENT
from config.testing.parallel import at_once
from config.testing.processes import Stack, wait_until
from config.wakeup import wake
from wecom import inbox
from wecom.models import CallbackEvent
from wecom.tests.phone import Phone

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_press_and_a_rejection_in_admin_have_one_winner(phones, asked, wang, zhao, ada, as_actor):
    instance = asked(("any", "wang.boss", "zhao.vp"), ("all", "sun.director"))
    phones.press("wang.boss")
    phones.work()
    phones.press("sun.director")
    rejection = partial(engine.reject, instance=instance, actor=as_actor(ada), reason="too dear")
    at_once(inbox.process_due, rejection, refusals=(WrongState,))
    at_once(operations.run_due, operations.run_due)
    SyncOperation.objects.exclude(status="succeeded").update(next_attempt_at=timezone.now())
    phones.work()
    instance.refresh_from_db()
    wins = [entry.action for entry in instance.timeline.filter(outcome="applied") if entry.to_status != "pending"]
    assert wins == [{"approved": "approve", "rejected": "reject"}[instance.status]]
    shown = {userid: phones.seen(userid)[0]["source"]["desc"] for userid in ("wang.boss", "zhao.vp", "sun.director")}
    assert set(shown.values()) == {"Approved" if instance.status == "approved" else "Rejected"}


def test_all_agree_at_the_same_moment(phones, asked, wang, zhao):
    instance = asked(("all", "wang.boss", "zhao.vp", "sun.director"))
    for userid in ("wang.boss", "zhao.vp", "sun.director"):
        phones.press(userid)
    at_once(inbox.process_due, inbox.process_due, inbox.process_due)
    CallbackEvent.objects.exclude(status="succeeded").update(next_attempt_at=timezone.now())
    phones.work()
    at_once(operations.run_due, operations.run_due)
    phones.work()
    instance.refresh_from_db()
    assert instance.status == "approved"
    assert instance.timeline.filter(action="approve", outcome="applied").count() == 3
    assert [card.state for card in instance.cards.all()] == ["closed"] * 3
    for userid in ("wang.boss", "zhao.vp", "sun.director"):
        assert phones.states(userid) == ["Approved"]


def test_two_workers_with_the_same_operation_send_one_card(phones, asked, wang):
    """A lost lease: the first worker still works on what the second has taken over."""
    instance = asked(("all", "wang.boss"), send=False)
    (first,) = SyncOperation.objects.claim_due(1)
    SyncOperation.objects.update(next_attempt_at=timezone.now())
    (second,) = SyncOperation.objects.claim_due(1)

    def carry_out(row: SyncOperation) -> Callable[[], Any]:
        def work() -> None:
            try:
                operations.handle(row)
            except Exception as error:  # noqa: BLE001 - as the queue does
                row.fail(error)

        return work

    at_once(carry_out(first), carry_out(second))
    phones.work_again()
    assert [card["keys"] for card in phones.cards("wang.boss")] == [["agree"]]
    assert instance.cards.get().state == "live"


@pytest.mark.slow
def test_a_worker_killed_between_the_mark_and_the_answer_leaves_no_phone_behind(stack: Stack, wecom_app, li, wang):
    stack.environment |= {
        "WECOM_CORP_ID": wecom_app.corp_id,
        "WECOM_AGENT_ID": str(wecom_app.agent_id),
        "WECOM_SECRET": wecom_app.secret.reveal(),
        "WECOM_CALLBACK_TOKEN": wecom_app.callback_token.reveal(),
        "WECOM_ENCODING_AES_KEY": wecom_app.encoding_aes_key.reveal(),
        "WECOM_APPROVAL_TEMPLATE_ID": wecom_app.template_id,
        "LANGUAGE_CODE": "en",
    }
    standin = stack.standin(callback_url="http://127.0.0.1:9/wecom/callback")
    phone = Phone(standin.url)
    actor = actor_for(li, Channel.INTERNAL)
    quote = quotes.create_quote(data=CONTENT, actor=actor)
    instance = engine.submit(quote=quote, actor=actor, flow="internal", approvers=["wang.boss"])
    worker = stack.worker()
    wake(SyncOperation.drain_task)
    wait_until(lambda: ApprovalCard.objects.filter(state="live").exists(), 20, "the card is sent")

    endpoint = "message/update_template_card"
    phone.fault("slow", endpoint=endpoint, count=1, seconds=6, moment="before")
    engine.approve(instance=instance, actor=actor_for(wang, Channel.INTERNAL))
    wake(SyncOperation.drain_task)
    wait_until(lambda: CardCode.objects.filter(spent_at__isnull=False).exists(), 20, "the code is marked")
    worker.kill()
    assert ApprovalCard.objects.get().shown == ""

    SyncOperation.objects.exclude(status="succeeded").update(next_attempt_at=timezone.now())  # the lease has ended
    stack.worker()
    wake(SyncOperation.drain_task)
    wait_until(lambda: ApprovalCard.objects.filter(state="closed").exists(), 20, "the result is shown")
    requests.delete(f"{standin.url}/standin/api/faults", timeout=10)
    notice, first = phone.cards("wang.boss")
    assert (first["recalled"], first["shown"]) == (True, None)
    assert notice["shown"]["source"]["desc_color"] == 3
    assert ApprovalInstance.objects.get().status == "approved"
