"""WeCom says 45009 (too many calls) while five hundred messages wait."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.utils import timezone

from config.testing.processes import wait_until
from notifications.models import Notification
from projects.tests.e2e.house import House
from wecom.budgets import pause_key
from wecom.tests.phone import Phone

SEND = "message/send"
PROJECTS, PEOPLE = 25, 20
NOTICES = PROJECTS * PEOPLE


def team(project: int) -> list[dict[str, str]]:
    """So many colleagues of one project, whom nobody shares: a member gets only so many messages a minute."""
    userids = [f"crowd{project * PEOPLE + place:03d}" for place in range(PEOPLE)]
    return [{"role": "engineer", "user_id": userid, "name": userid, "wecom_userid": userid} for userid in userids]


def everything_sent(phone: Phone) -> list[dict[str, Any]]:
    """All messages to the crowd at WeCom, those dropped without a word included."""
    return [row for number in range(NOTICES) for row in phone.rows(f"crowd{number:03d}")]


def test_when_wecom_blocks_five_hundred_messages_none_is_lost_and_none_arrives_twice(house: House):
    with house.database.opened():
        Notification.objects.all().delete()
    names = list(house.originals())[:PROJECTS]
    for number, name in enumerate(names):
        house.library.post(f"projects/{name}", status="pending", stakeholders=team(number))
    house.sync()
    with house.database.opened():
        house.set(notify_channels=["wechat"])

    house.phone.fault("errcode", errcode=45009, endpoint=SEND)
    for name in names:
        house.library.post(f"projects/{name}", status="processing")
    assert len(house.staff.do("projects/sync")["changes"]) == PROJECTS
    assert house.notices() == NOTICES
    house.await_notices(NOTICES, status="pending", next_attempt_at__gt=timezone.now(), last_error__gt="")
    assert everything_sent(house.phone) == []
    assert house.phone.calls(SEND, 45009) <= 8  # both workers' first attempts; then it is left alone

    house.phone.heal()
    let_the_minute_pass(house)
    house.reschedule("notifications: sweep", 1)
    house.await_notices(NOTICES, 40, status="succeeded")
    sent = everything_sent(house.phone)
    assert [row for row in sent if row["dropped"]] == []
    assert Counter(row["userid"] for row in sent) == Counter(f"crowd{number:03d}" for number in range(NOTICES))
    assert house.notices() == NOTICES
    house.reschedule("notifications: sweep", 30)


def let_the_minute_pass(house: House) -> None:
    """WeCom's block is over, and so is everybody's waiting for its end."""
    redis = house.redis()
    [paused] = redis.keys(pause_key("*", SEND))
    assert 30 < redis.ttl(paused) <= 60
    redis.delete(paused)
    with house.database.opened():
        Notification.objects.update(next_attempt_at=timezone.now())
    wait_until(lambda: not redis.exists(paused))
