"""Messages by channel and outcome, and open incidents, as /metrics tells them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from config.testing import metrics as read
from notifications import delivery, metrics
from notifications.incidents import raise_incident, resolve_incident
from notifications.models import Notification
from notifications.tests.channels.conftest import wecom_peer  # noqa: F401 - a fixture
from notifications.tests.conftest import Told
from notifications.tests.test_delivery import OK, SEND, member, tell
from wecom.tests.peers import Peer


@pytest.mark.django_db(transaction=True)
def test_attempts_are_counted_by_channel_and_outcome(templates, wecom_peer: Peer, told: Told) -> None:  # noqa: F811
    wecom_peer.answer(SEND, lambda request: OK | {"invaliduser": "gone" if request.body["touser"] == "gone" else ""})
    tell([member("li.mei"), member("gone")], channels=("wechat",))
    Notification.objects.update(created_at=timezone.now() - timedelta(seconds=20))
    delivery.deliver()
    wecom_peer.answer(SEND, {"errcode": -1, "errmsg": "busy"})
    tell([member("wang")], key="2", channels=("wechat",))
    delivery.deliver()
    families = read.told()
    assert read.series(families, "quotebridge_notifications", "_total") == {
        ("wechat", "succeeded"): 1,
        ("wechat", "dead"): 1,
        ("wechat", "failed"): 1,
    }
    assert 20 < read.series(families, "quotebridge_notification_sent_after_seconds", "_sum")[("wechat",)] < 60


@pytest.mark.django_db(transaction=True)
def test_a_message_that_only_waits_has_had_no_attempt(templates, wecom_peer: Peer, told: Told) -> None:  # noqa: F811
    told.quiet_until = timezone.now() + timedelta(hours=1)
    tell([member("li.mei")], channels=("wechat",))
    delivery.deliver()
    assert read.series(read.told(), "quotebridge_notifications", "_total") == {}


@pytest.mark.django_db
def test_open_incidents_are_told_in_one_statement(django_assert_num_queries) -> None:
    for key in ("one", "two", "three"):
        raise_incident(key, title="Something", detail="")
    resolve_incident("two")
    with django_assert_num_queries(1):
        families = read.looked_up(metrics.read_incidents)
    assert read.series(families, "quotebridge_incidents_open") == {(): 2}
