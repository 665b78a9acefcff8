"""The library's own API: the pages of its list, one project, the key."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from projects.models import ProjectStatus, ProjectType, Role
from projects.standin.made_up import made_up_project
from projects.standin.words import STATUSES, TYPES, WAYS
from projects.tests.library import Library
from wecom.standin.company import find_visible_member


def test_the_pages_hold_every_project_once(library: Library) -> None:
    pages = [library.page(page=number, page_size=10) for number in (1, 2, 3)]
    assert [len(page["projects"]) for page in pages] == [10, 10, 5]
    assert {(page["page_size"], page["total"]) for page in pages} == {(10, 25)}
    assert len({project["id"] for page in pages for project in page["projects"]}) == 25
    assert library.page(page=4, page_size=10)["projects"] == []


def test_a_list_is_of_the_types_asked_for(library: Library) -> None:
    presale, sales = library.page(types="presale"), library.page(types="sales")
    assert {project["type"] for project in presale["projects"]} == {"presale"}
    both = library.page(types="presale,sales")
    assert both["total"] == presale["total"] + sales["total"] < 25
    assert library.page(types="rental")["projects"] == []


def test_a_project_is_the_same_alone_and_in_the_list(library: Library) -> None:
    project = library.page(page_size=1)["projects"][0]
    assert library.ask(f"projects/{project['id']}").json() == project


def test_an_unknown_project_is_404(library: Library) -> None:
    assert library.ask("projects/PS-999999").status_code == 404


@pytest.mark.parametrize("path", ["projects", "projects/PS-000003", "projects/nothing"])
def test_without_the_key_nothing_is_answered(library: Library, path: str) -> None:
    answer = library.ask(path, key="another")
    assert (answer.status_code, list(answer.json())) == (401, ["error"])


def test_the_largest_page_has_two_thousand(library: Library) -> None:
    assert library.page(page_size=1_000_000)["page_size"] == 2000


class TestMadeUpProjects:
    PROJECTS = [made_up_project(number) for number in range(1, 301)]

    def test_they_are_about_a_kilobyte(self) -> None:
        sizes = [len(json.dumps(project, ensure_ascii=False).encode()) for project in self.PROJECTS]
        assert 900 < min(sizes) <= max(sizes) < 1150

    def test_every_type_and_state_occurs(self) -> None:
        seen = {(project["type"], project["status"]) for project in self.PROJECTS}
        assert seen == {(kind, status) for kind, way in WAYS.items() for status in way}

    def test_our_people_are_members_of_the_company_in_the_wecom_stand_in(self) -> None:
        people = [person for project in self.PROJECTS for person in project["stakeholders"]]
        ours = {person["wecom_userid"]: person["name"] for person in people if "wecom_userid" in person}
        assert {"li.mei", "chen.yu", "liu.engineer"} <= set(ours)
        for userid, name in ours.items():
            member = find_visible_member(userid)
            assert member is not None
            assert member.name == name

    def test_each_has_a_customer_who_can_be_reached(self) -> None:
        for project in self.PROJECTS:
            [customer] = [person for person in project["stakeholders"] if person["role"] == "customer"]
            assert customer["phone"] == project["phone"]
            assert len(project["phone"]) == 11
            assert "@" in customer["email"]

    def test_times_are_iso_with_a_zone(self) -> None:
        times = [value for p in self.PROJECTS for name, value in p.items() if name.endswith(("_at", "_time"))]
        assert len(times) > 600
        assert all(datetime.fromisoformat(text).tzinfo for text in times)


@pytest.mark.parametrize(("here", "there"), [(TYPES, ProjectType), (STATUSES, ProjectStatus)])
def test_the_words_are_those_of_the_product(here: dict[str, Any], there: Any) -> None:
    """The stand-in imports nothing of the product, so that only a test can see that they agree."""
    assert {name: str(word) for name, word in here.items()} == {name: str(word) for name, word in there.choices}


def test_the_roles_are_those_of_the_product() -> None:
    people = {person["role"] for person in made_up_project(1)["stakeholders"]}
    assert people == set(Role.values)
