"""The made-up company: one tree, everybody where the lists say, and a sync assistant that lists all userids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from wecom.standin.options import Options
from wecom.standin.server import StandinServer
from wecom.standin.world import World
from wecom.tests.standin.conftest import Clock, Standin

SIZE = 1234
NAMED = 12
"""Members of the stand-in's own company that the app can see."""


@pytest.fixture
def crowd(options: Options, clock: Clock) -> Iterator[Standin]:
    server = StandinServer(World(replace(options, company_size=SIZE, contact_secret="assistant"), clock))
    server.start_in_background()
    yield Standin(server.url)
    server.stop()


def test_every_member_is_found_where_their_departments_say(crowd: Standin) -> None:
    departments = crowd.call("department/list")["department"]
    numbers = {one["id"] for one in departments}
    assert all(one["parentid"] in numbers for one in departments if one["parentid"])
    seats: dict[str, set[int]] = {}
    told: dict[str, set[int]] = {}
    for number in numbers:
        for member in crowd.call("user/list", department_id=str(number))["userlist"]:
            seats.setdefault(member["userid"], set()).add(number)
            told[member["userid"]] = set(member["department"])
            assert len(member["order"]) == len(member["is_leader_in_dept"]) == len(member["department"])
    assert len(seats) == SIZE + NAMED and seats == told
    assert sum(len(places) > 1 for places in seats.values()) > SIZE / 20


def test_a_branch_and_a_member_are_told_alone(crowd: Standin) -> None:
    below = crowd.call("department/simplelist", id="10001")["department_id"]
    assert below[0]["id"] == 10001 and 1 < len(below) < 25
    assert crowd.call("user/get", userid="STAFF000042")["name"] == "员工42"
    assert crowd.errcode("user/get", userid=f"staff{SIZE:06d}") == 60111
    assert crowd.errcode("user/list", department_id="99999") == 60003


def test_only_the_assistant_lists_userids_page_by_page(crowd: Standin) -> None:
    assert crowd.errcode("user/list_id", {}) == 48002
    token = crowd.gettoken("assistant")["access_token"]
    cursor, rows = "", []
    while True:
        page = crowd.call("user/list_id", {"cursor": cursor, "limit": 500}, token=token)
        rows += page["dept_user"]
        cursor = page["next_cursor"]
        if not cursor:
            break
        assert len(page["dept_user"]) == 500
    assert len({row["userid"] for row in rows}) == SIZE + NAMED + 1  # one is outside the app's scope
    assert len({(row["userid"], row["department"]) for row in rows}) == len(rows)
    assert crowd.errcode("user/list_id", {"cursor": "lost"}, token=token) == 60268
