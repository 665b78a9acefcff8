"""A real worker, killed at the worst moment: WeCom has the form, and we have not written its number down."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from django.utils import timezone

from approvals import engine, quotes
from approvals.actors import actor_for
from approvals.models import ApprovalInstance, Channel, SyncOperation
from approvals.tests.conftest import CONTENT
from config.durable import Status
from config.testing.processes import Stack, wait_until
from config.wakeup import wake

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_the_form_is_adopted_by_the_next_worker_and_not_submitted_again(stack: Stack, wecom_app, li):
    stack.environment |= {
        "WECOM_CORP_ID": wecom_app.corp_id,
        "WECOM_AGENT_ID": str(wecom_app.agent_id),
        "WECOM_SECRET": wecom_app.secret.reveal(),
        "WECOM_CALLBACK_TOKEN": wecom_app.callback_token.reveal(),
        "WECOM_ENCODING_AES_KEY": wecom_app.encoding_aes_key.reveal(),
        "WECOM_APPROVAL_TEMPLATE_ID": wecom_app.template_id,
    }
    standin = stack.standin(callback_url="http://127.0.0.1:9/wecom/callback")
    fault: dict[str, Any] = {"kind": "slow", "endpoint": "oa/applyevent", "count": 1, "seconds": 6, "moment": "after"}
    requests.post(f"{standin.url}/standin/api/faults", json=fault, timeout=10).raise_for_status()
    actor = actor_for(li, Channel.INTERNAL)
    instance = engine.submit(quote=quotes.create_quote(data=CONTENT, actor=actor), actor=actor, flow="wecom_oa")

    def forms() -> list[dict[str, str]]:
        return list(requests.get(f"{standin.url}/standin/api/approvals", timeout=10).json()["approvals"])

    worker = stack.worker()
    wake(SyncOperation.drain_task)
    wait_until(forms, 20, "WeCom has the form")
    worker.kill()
    row = SyncOperation.objects.get()
    assert row.status == Status.RUNNING
    assert ApprovalInstance.objects.get(pk=instance.pk).sp_no == ""

    SyncOperation.objects.update(next_attempt_at=timezone.now())  # the dead worker's lease has ended
    stack.worker()
    wake(SyncOperation.drain_task)
    wait_until(lambda: ApprovalInstance.objects.get(pk=instance.pk).sp_no, 20, "adopted")
    assert [form["sp_no"] for form in forms()] == [ApprovalInstance.objects.get(pk=instance.pk).sp_no]
