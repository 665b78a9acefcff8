"""What a customer sees while things fall over, and at the end of a link."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from config.testing.processes import wait_until
from projects.models import ProjectCache, RemoteSource
from projects.tests.e2e.house import House

ONE = "PS-000003"
BUDGET = 3.0
"""Seconds that a reader waits for the library at most."""


class Visitor:
    """A customer's browser and REST client with one link."""

    def __init__(self, house: House, token: str) -> None:
        self.url, self.token = house.url, token
        self.browser = requests.Session()

    def page(self) -> requests.Response:
        """The first time with the token in the address, then with the cookie alone."""
        query = {} if self.browser.cookies else {"token": self.token}
        return self.browser.get(f"{self.url}/project/{ONE}", params=query, timeout=15)

    def read(self, **query: str) -> requests.Response:
        return requests.get(f"{self.url}/api/projects/{ONE}", params={"token": self.token, **query}, timeout=15)

    def verify(self) -> requests.Response:
        return requests.get(f"{self.url}/api/projects/{ONE}/verify-access", params={"token": self.token}, timeout=15)


def make_old(house: House) -> None:
    """Every copy is a day old."""
    yesterday = timezone.now() - timedelta(days=1)
    with house.database.opened():
        ProjectCache.objects.update(fetched_at=yesterday)
        RemoteSource.objects.update(confirmed_at=yesterday)


@pytest.mark.timed
def test_a_page_is_shown_while_the_library_is_down_slow_or_lying(own_house: House):
    house = own_house
    visitor = Visitor(house, house.link(ONE))
    title = house.library.ask(f"projects/{ONE}").json()["title"]
    for fault, parameters in (("slow", {"seconds": 20}), ("down", {}), ("html", {}), ("truncated", {})):
        house.library.heal()
        house.library.fault(fault, **parameters)
        make_old(house)
        house.redis().flushdb()  # nobody remembers the last failure
        began = time.monotonic()
        page = visitor.page()
        assert time.monotonic() - began < BUDGET + 1.5, fault
        assert (page.status_code, title in page.text) == (200, True), fault
        answer = visitor.read().json()
        assert (answer["from_cache"], answer["stale"]) == (True, True), fault
        assert answer["project"]["title"] == title

    house.library.heal()
    house.library.post(f"projects/{ONE}", title="又通了")
    house.redis().flushdb()
    answer = visitor.read(force_sync="true").json()
    assert (answer["from_cache"], answer["stale"], answer["project"]["title"]) == (False, False, "又通了")


def test_a_link_ends_when_its_time_is_over(own_house: House):
    house = own_house
    visitor = Visitor(house, house.link(ONE, left=timedelta(seconds=10)))
    assert visitor.read().status_code == 200
    assert visitor.verify().json()["access_type"] == "customer"
    assert visitor.page().status_code == 200
    assert "token=" not in visitor.page().url

    wait_until(lambda: visitor.read().status_code == 401, message="the end of the link", interval=0.1)
    assert visitor.read().json()["code"] == "token_expired"
    assert (visitor.verify().status_code, visitor.verify().json()["code"]) == (401, "token_expired")
    assert visitor.page().status_code == 401
    later = Visitor(house, house.link(ONE))
    assert later.read().status_code == 200


@pytest.mark.timed
def test_without_redis_a_project_is_read_and_refreshed(own_house: House):
    house = own_house
    visitor = Visitor(house, house.link(ONE))
    house.valkey.kill()
    assert visitor.verify().status_code == 200
    assert visitor.read().json()["stale"] is False
    assert visitor.page().status_code == 200
    assert house.read(ONE)["project"]["id"] == ONE

    make_old(house)
    house.library.post(f"projects/{ONE}", title="没有缓存服务器")
    began = time.monotonic()
    answer = visitor.read().json()
    assert (answer["from_cache"], answer["project"]["title"]) == (False, "没有缓存服务器")
    assert time.monotonic() - began < BUDGET
