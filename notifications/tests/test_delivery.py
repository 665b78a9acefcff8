"""From the row to its end: through real channels, with the queue of production."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.durable import Status
from notifications import channels, delivery
from notifications.announce import Occasion, announce
from notifications.channels.base import Channel, Message
from notifications.models import Incident, Notification
from notifications.quiet import QUIET_HOURS, hours_changed
from notifications.recipients import Recipient
from notifications.tests.channel_peers import MailServer
from notifications.tests.channels.conftest import mail_server, wecom_peer  # noqa: F401 - fixtures
from notifications.tests.conftest import TOLD, Told
from wecom.budgets import Budget
from wecom.models import WeComConfig
from wecom.redis import redis
from wecom.tests.peers import Peer
from wecom.tokens import app_key

pytestmark = pytest.mark.django_db(transaction=True)
SEND = "message/send"
OK = {"errcode": 0, "errmsg": "ok", "msgid": "m1"}


def tell(people: Iterable[Recipient], key: str = "1", channels: tuple[str, ...] = ("wechat", "email")) -> None:
    facts = {"number": f"P-{key}", "status": "shipped"}
    announce(TOLD, [Occasion(key, f"test:{key}", list(people), facts)], channels=channels)


def member(userid: str) -> Recipient:
    return Recipient("engineer", userid.title(), userid=userid)


def rows(**filters: Any) -> list[Notification]:
    return list(Notification.objects.filter(**filters).order_by("id"))


def due_now() -> None:
    """As if the time of every waiting row had come."""
    Notification.objects.filter(status__in=(Status.PENDING, Status.FAILED)).update(next_attempt_at=timezone.now())


def test_each_channel_gets_its_message(templates, wecom_peer: Peer, mail_server: MailServer) -> None:  # noqa: F811
    tell([Recipient("salesman", "李梅", userid="li.mei", email="li.mei@example.com")])
    assert delivery.deliver() == 2
    assert [row.status for row in rows()] == [Status.SUCCEEDED] * 2
    assert wecom_peer.calls(SEND)[0].body["text"]["content"] == "P-1 现为 shipped"
    assert mail_server.subjects() == ["P-1"]
    assert rows(channel="wechat")[0].provider_id == "m1"
    assert rows(channel="email")[0].provider_id == mail_server.mails[0][1]["Message-ID"]


def test_one_unknown_member_is_one_dead_row_and_retry_sends_it(templates, wecom_peer: Peer) -> None:  # noqa: F811
    wecom_peer.answer(SEND, lambda request: OK | {"invaliduser": "gone" if request.body["touser"] == "gone" else ""})
    tell([member("li.mei"), member("gone"), member("wang")])
    delivery.deliver()
    assert {row.address: row.status for row in rows()} == {
        "li.mei": Status.SUCCEEDED,
        "gone": Status.DEAD,
        "wang": Status.SUCCEEDED,
    }
    dead = rows(status=Status.DEAD)[0]
    assert "通讯录" in dead.last_error
    assert Incident.objects.count() == 1
    wecom_peer.answer(SEND, OK)
    redis().flushdb()  # its rate has room again
    Notification.objects.filter(pk=dead.pk).retry()
    delivery.deliver()
    assert rows(address="gone")[0].status == Status.SUCCEEDED


def test_mails_of_one_drain_share_a_connection(templates, mail_server: MailServer) -> None:  # noqa: F811
    tell(Recipient("engineer", "X", email=f"x{number}@example.com") for number in range(40))
    delivery.deliver()
    assert len(mail_server.mails) == 40
    assert mail_server.connections == 1


def test_many_notices_to_one_member_wait_for_their_turns_without_an_attempt(
    templates,
    wecom_peer: Peer,  # noqa: F811
) -> None:
    for number in range(40):
        tell([member("li.mei")], key=str(number))
    delivery.deliver()
    assert len(wecom_peer.calls(SEND)) == 1
    waiting = rows(status=Status.PENDING)
    assert [row.attempts for row in waiting] == [0] * 39
    turns = [row.turn_at for row in waiting if row.turn_at]
    assert len(turns) == len(waiting)
    assert turns == sorted(turns)
    gaps = [later - earlier for earlier, later in pairwise(turns)]
    assert all(timedelta(seconds=2) < gap < timedelta(seconds=2.2) for gap in gaps)
    for row, turn in zip(waiting, turns, strict=True):  # due at their turn, not before
        assert abs(row.next_attempt_at - turn) < timedelta(seconds=0.5)
    assert delivery.deliver() == 0
    assert not Incident.objects.exists()


def test_rows_that_wait_go_back_in_a_few_statements(templates, wecom_peer: Peer) -> None:  # noqa: F811
    people = [member(f"m{number}") for number in range(4)]
    for number in range(50):
        tell(people, key=str(number), channels=("wechat",))
    with CaptureQueriesContext(connection) as captured:
        delivery.deliver()
    assert Notification.objects.filter(status=Status.SUCCEEDED).count() == 4
    assert len(captured) < 100  # 196 rows were put back


def test_500_waiting_notices_survive_45009(templates, wecom_peer: Peer) -> None:  # noqa: F811
    wecom_peer.answer(SEND, {"errcode": 45009, "errmsg": "api freq out of limit"})
    announce(
        TOLD,
        [
            Occasion(str(number), "", [member(f"m{number}")], {"number": f"P-{number}", "status": "x"})
            for number in range(500)
        ],
        channels=["wechat"],
    )
    delivery.deliver()
    assert len(wecom_peer.calls(SEND)) == 1
    assert Notification.objects.filter(status=Status.PENDING, attempts=0).count() == 500
    assert not Incident.objects.exists()
    due = Notification.objects.values_list("next_attempt_at", flat=True)
    assert min(due) > timezone.now() + timedelta(seconds=40)
    assert max(due) < timezone.now() + timedelta(seconds=61)
    redis().flushdb()  # a minute later: the pause is over, and every member's rate has room
    wecom_peer.answer(SEND, OK)
    due_now()
    delivery.deliver()
    texts = [request.body["text"]["content"] for request in wecom_peer.calls(SEND)[1:]]
    assert len(texts) == len(set(texts)) == 500
    assert Notification.objects.filter(status=Status.SUCCEEDED).count() == 500


def test_a_pause_costs_no_attempt_and_no_call(templates, wecom_peer: Peer) -> None:  # noqa: F811
    Budget(app_key(WeComConfig.objects.get())).pause(SEND, 30)
    tell([member("li.mei")])
    delivery.deliver()
    row = rows()[0]
    assert (row.status, row.attempts, wecom_peer.calls(SEND)) == (Status.PENDING, 0, [])
    assert timedelta(seconds=25) < row.next_attempt_at - timezone.now() < timedelta(seconds=31)


def test_what_comes_due_in_quiet_hours_waits_for_their_end(templates, told: Told, wecom_peer: Peer) -> None:  # noqa: F811
    tell([member("li.mei")])
    told.quiet_until = timezone.now() + timedelta(hours=2)  # e.g. it had failed until then
    delivery.deliver()
    row = rows()[0]
    assert (row.status, row.attempts) == (Status.PENDING, 0)
    assert row.next_attempt_at == pytest.approx(told.quiet_until, abs=timedelta(seconds=1))
    assert wecom_peer.calls(SEND) == []


def test_what_waited_for_quiet_hours_leaves_when_they_are_given_up(
    templates,
    told: Told,
    wecom_peer: Peer,  # noqa: F811
) -> None:
    told.quiet_until = timezone.now() + timedelta(hours=2)
    tell([member("li.mei")])
    told.quiet_until = None
    assert delivery.deliver() == 0  # nobody has told the queue
    assert hours_changed([TOLD]) == 1
    delivery.deliver()
    assert (rows()[0].status, rows()[0].last_error) == (Status.SUCCEEDED, "")


def test_other_quiet_hours_hold_what_waits_until_their_end(templates, told: Told, wecom_peer: Peer) -> None:  # noqa: F811
    told.quiet_until = timezone.now() + timedelta(hours=2)
    tell([member("li.mei")])
    told.quiet_until = timezone.now() + timedelta(hours=1)
    hours_changed([TOLD])
    delivery.deliver()
    row = rows()[0]
    assert (row.status, row.last_error, wecom_peer.calls(SEND)) == (Status.PENDING, str(QUIET_HOURS), [])
    assert row.next_attempt_at == pytest.approx(told.quiet_until, abs=timedelta(seconds=1))


@pytest.mark.timed
def test_a_silent_mail_server_does_not_hold_up_the_other_channels(
    templates,
    wecom_peer: Peer,  # noqa: F811
    mail_server: MailServer,  # noqa: F811
    settings,
    monkeypatch,
) -> None:
    settings.EMAIL_TIMEOUT = 0.4
    monkeypatch.setattr(delivery, "SLOW", 0.3)
    mail_server.answers["connect"] = "hang"
    tell(Recipient("x", "X", userid=f"m{number}", email=f"x{number}@example.com") for number in range(20))
    started = time.monotonic()
    delivery.deliver()
    assert time.monotonic() - started < 4  # not 20 time-outs
    assert len(wecom_peer.calls(SEND)) == 20
    assert [row.attempts for row in rows(channel="email")].count(1) == 1
    assert {row.status for row in rows(channel="email")} == {Status.PENDING, Status.FAILED}
    mail_server.answers.clear()
    delivery._resting_until.clear()
    due_now()
    delivery.deliver()
    assert len(mail_server.mails) == 20


def test_a_channel_that_is_gone_is_a_sentence(templates) -> None:
    Notification.objects.create(key="k", event=TOLD, channel="pager", address="1", language="en", body="x")
    delivery.deliver()
    row = rows()[0]
    assert row.status == Status.DEAD
    assert "pager" in row.last_error


class PigeonChannel(Channel):
    """All that a new channel takes."""

    kind = "pigeon"
    label = "Carrier pigeon"
    flown: list[Message] = []

    @classmethod
    def address_of(cls, recipient: Recipient) -> str:
        return f"loft of {recipient.name}" if recipient.role == "engineer" else ""

    def send(self, message: Message) -> str:
        self.flown.append(message)
        return f"ring {len(self.flown)}"


def test_a_new_channel_is_a_class_and_an_entry(templates, event, monkeypatch) -> None:
    monkeypatch.setitem(channels.CHANNELS, "pigeon", f"{__name__}.PigeonChannel")
    monkeypatch.setattr(PigeonChannel, "flown", [])
    object.__setattr__(event, "channels", ("pigeon", *event.channels))
    object.__setattr__(event, "defaults", {**event.defaults, ("pigeon", "zh-hans"): ("", "{{ number }} coo")})
    tell([member("bob"), Recipient("salesman", "Li")], channels=("pigeon",))
    row = rows()[0]
    assert row.get_channel_display() == "Carrier pigeon"
    row.full_clean()  # a choice of the column, without a migration
    delivery.deliver()
    row.refresh_from_db()
    assert (row.status, row.provider_id, row.address) == (Status.SUCCEEDED, "ring 1", "loft of Bob")
    assert [message.body for message in PigeonChannel.flown] == ["P-1 coo"]


def test_a_channels_defect_is_that_rows_trouble(templates, monkeypatch) -> None:
    class Broken(PigeonChannel):
        def send(self, message: Message) -> str:
            raise ZeroDivisionError

        def reserve(self, messages: Any) -> Any:
            raise ZeroDivisionError

    monkeypatch.setitem(channels.CHANNELS, "pigeon", "x")
    monkeypatch.setattr(delivery, "channel_class", lambda kind: Broken)
    Notification.objects.create(key="k", event=TOLD, channel="pigeon", address="1", language="en", body="x")
    delivery.deliver()
    assert (rows()[0].status, rows()[0].crashes) == (Status.FAILED, 1)


def test_parallel_workers_send_each_message_once(templates, wecom_peer: Peer) -> None:  # noqa: F811
    from config.tests.test_durable import in_parallel

    announce(
        TOLD,
        [
            Occasion(str(number), "", [member(f"m{number}")], {"number": f"P-{number}", "status": "x"})
            for number in range(60)
        ],
        channels=["wechat"],
    )
    assert in_parallel(delivery.deliver, 4) == []
    texts = [request.body["text"]["content"] for request in wecom_peer.calls(SEND)]
    assert len(texts) == len(set(texts)) == 60
