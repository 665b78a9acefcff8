"""The fault switches: what a client sees."""

from __future__ import annotations

import time

import pytest
import requests

from projects.tests.library import KEY, Library


def test_down_closes_the_connection(library: Library) -> None:
    library.fault("down", count=1)
    with pytest.raises(requests.ConnectionError):
        library.ask()
    assert library.ask().status_code == 200


def test_slow_takes_its_seconds(library: Library) -> None:
    library.fault("slow", seconds=0.3)
    began = time.monotonic()
    assert library.ask().status_code == 200
    assert time.monotonic() - began >= 0.3


def test_html_comes_with_status_200(library: Library) -> None:
    library.fault("html")
    answer = library.ask()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<h1>" in answer.text


def test_an_error_page_comes_with_its_status(library: Library) -> None:
    library.fault("http_status", status=503)
    assert library.ask().status_code == 503


def test_the_key_is_refused(library: Library) -> None:
    library.fault("unauthorised")
    assert library.ask().status_code == 401


def test_a_truncated_answer_ends_before_its_length(library: Library) -> None:
    whole = int(library.ask().headers["Content-Length"])
    library.fault("truncated")
    answer = library.session.get(
        f"{library.url}/projects", headers={"Authorization": f"Bearer {KEY}"}, stream=True, timeout=10
    )
    assert int(answer.headers["Content-Length"]) == whole
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        answer.content  # noqa: B018 - reads to the end


def test_half_a_page_is_missing_though_the_total_says_otherwise(library: Library) -> None:
    library.fault("half_page")
    page = library.page(page_size=10)
    assert (len(page["projects"]), page["total"]) == (5, 25)


def test_a_bare_array_holds_everything(library: Library) -> None:
    library.fault("bare_array")
    assert len(library.ask(page=1, page_size=10).json()) == 25


def test_a_few_are_said_to_be_all(library: Library) -> None:
    library.fault("few", size=12)
    assert [len(library.ids(page=number, page_size=10)) for number in (1, 2, 3)] == [10, 2, 0]
    assert library.page()["total"] == 12


def test_a_fault_may_begin_with_a_later_page_and_leave_single_projects_alone(library: Library) -> None:
    library.fault("html", from_page=3, endpoint="list")
    answers = [library.ask(page=number, page_size=5) for number in (1, 2, 3, 4)]
    assert [answer.text.startswith("{") for answer in answers] == [True, True, False, False]
    assert library.ask("projects/PS-000003").json()["id"] == "PS-000003"


def test_a_fault_of_single_projects_leaves_the_list_alone(library: Library) -> None:
    library.fault("unauthorised", endpoint="single")
    assert library.ask().status_code == 200
    assert library.ask("projects/PS-000003").status_code == 401


def test_an_unknown_fault_is_refused(library: Library) -> None:
    assert library.refused("faults", kind="moody") == 400
    assert library.refused("faults", kind="slow", seconds="long") == 400
