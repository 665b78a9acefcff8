"""A robot that listens, and the rows that wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from notifications import alert_watch
from notifications.models import AlertAddress, Incident, Notification
from wecom.tests.peers import Peer

ROBOT = "/cgi-bin/webhook/send?key=693a91f6-7d3b-4bc4-97a0-0ec2sifa5aaa"
OK = {"errcode": 0, "errmsg": "ok"}


class Robot:
    """A WeCom robot on a socket."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.url = peer.url + ROBOT

    def answer(self, *answers: Any) -> None:
        self.peer.answer("webhook/send", *answers)

    @property
    def texts(self) -> list[str]:
        return [request.body["text"]["content"] for request in self.peer.calls("webhook/send")]

    @property
    def titles(self) -> list[str]:
        return [text.partition("\n")[0] for text in self.texts]


@pytest.fixture
def robot() -> Iterator[Robot]:
    peer = Peer()
    robot = Robot(peer)
    robot.answer(OK)
    yield robot
    peer.close()


@pytest.fixture
def address(robot: Robot) -> AlertAddress:
    return AlertAddress.objects.create(name="Operators", url=robot.url)


@pytest.fixture
def due() -> Callable[[], int]:
    """Hand over everything that waits, as if its time had come."""

    def hand_over() -> int:
        from django.utils import timezone

        Notification.objects.filter(status__in=("pending", "failed")).update(next_attempt_at=timezone.now())
        return alert_watch.hand_over()

    return hand_over


def open_keys() -> set[str]:
    return set(Incident.objects.filter(resolved_at=None).values_list("key", flat=True))
