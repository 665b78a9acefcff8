"""Real workers and a real stand-in: WeCom blocks sending while 500 notices wait, and a worker dies meanwhile."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from config import durable
from config.durable import Status
from config.testing.ports import reserved_port
from config.testing.processes import Stack, Web, wait_until
from notifications.models import ChannelKind, Incident, Notification
from wecom.models import WeComConfig
from wecom.redis import redis

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WAITING = 500
MEMBERS = 125
"""Four messages each: three intervals of the members' rate."""
APP = {
    "WECOM_CORP_ID": "wwfacade0123456789",
    "WECOM_AGENT_ID": "1000042",
    "WECOM_SECRET": "app-secret",
    "WECOM_CALLBACK_TOKEN": "QuoteDeskTok2026",
    "WECOM_ENCODING_AES_KEY": "q7Rw2ZkT0mVx9LbN4cJpYf6HsGd1UeAo3iBt8WvKyE0",
}


@pytest.fixture
def standin(stack: Stack) -> Web:
    stack.environment |= APP
    WeComConfig.objects.create(
        slug="default",
        name="app",
        corp_id=APP["WECOM_CORP_ID"],
        agent_id=int(APP["WECOM_AGENT_ID"]),
        secret=APP["WECOM_SECRET"],
        is_default=True,
    )
    return stack.standin(callback_url=f"http://127.0.0.1:{reserved_port()}/wecom/callback")


def control(standin: Web, path: str, **body: str | float) -> None:
    requests.post(f"{standin.url}/standin/api/{path}", json=body, timeout=10).raise_for_status()


def received(standin: Web) -> Counter[str]:
    messages = requests.get(f"{standin.url}/standin/api/messages", timeout=10).json()["messages"]
    assert not any(message["dropped"] for message in messages)
    return Counter(message["content"]["content"] for message in messages)


def sent() -> int:
    return Notification.objects.filter(status=Status.SUCCEEDED).count()


def a_minute_passes() -> None:
    """WeCom's block ends, and what waits for it comes due; so does what the dead worker held."""
    redis().delete(*redis().scan_iter("wecom:*:paused:*"))
    now = timezone.now()
    later = Notification.objects.filter(status__in=durable.OPEN, next_attempt_at__gt=now + timedelta(seconds=15))
    later.update(next_attempt_at=now)
    durable.sweep(Notification)


def test_a_block_by_wecom_and_a_killed_worker_lose_and_repeat_nothing(stack: Stack, standin: Web) -> None:
    Notification.objects.bulk_create(
        [
            Notification(
                key=f"notice:{number}",
                event="test.told",
                channel=ChannelKind.WECOM,
                address=f"crowd{number % MEMBERS:03d}",
                language="zh-hans",
                body=f"项目 P-{number:05d} 已发货",
            )
            for number in range(WAITING)
        ]
    )
    control(standin, "faults", kind="slow", endpoint="message/send", seconds=0.01)
    worker = stack.worker(concurrency=2)
    durable.sweep(Notification)
    wait_until(lambda: sent() > 40, 20, "some have left")
    control(standin, "faults", kind="errcode", endpoint="message/send", errcode=45009, count=1)
    blocked = Notification.objects.filter(
        status=Status.PENDING, next_attempt_at__gt=timezone.now() + timedelta(30 / 86400)
    )
    wait_until(blocked.exists, 20, "the block has been met")
    worker.kill()

    stack.worker(concurrency=2)
    a_minute_passes()
    wait_until(lambda: sent() == WAITING, 60, "all have left", interval=0.2)
    arrived = received(standin)
    assert len(arrived) == WAITING
    assert set(arrived.values()) == {1}
    assert not Incident.objects.exists()
    assert Notification.objects.filter(attempts__gt=2).count() == 0
