"""The test interface: projects changed one by one and by the hundred."""

from __future__ import annotations

import requests

from projects.tests.library import KEY, Library

ONE = "PS-000003"


def test_a_change_is_seen_through_the_api(library: Library) -> None:
    before = library.ask(f"projects/{ONE}").json()
    library.post(f"projects/{ONE}", status="completed", title="锅炉房改造（二期）", device=None, floor="B1")
    after = library.ask(f"projects/{ONE}").json()
    assert (after["status"], after["title"], after["floor"]) == ("completed", "锅炉房改造（二期）", "B1")
    assert "device" not in after
    assert after["updated_at"] > before["updated_at"]
    assert after["stakeholders"] == before["stakeholders"]


def test_a_project_is_added_and_removed(library: Library) -> None:
    added = library.post("projects", type="sales", title="水泵采购")
    assert (added["type"], added["title"], added["status"]) == ("sales", "水泵采购", "pending")
    assert library.ids(page_size=100)[-1] == added["id"]
    assert library.page(types="sales")["projects"][-1] == added
    requests.delete(f"{library.url}/standin/api/projects/{added['id']}", timeout=10).raise_for_status()
    assert added["id"] not in library.ids(page_size=100)
    assert library.ask(f"projects/{added['id']}").status_code == 404


def test_a_project_that_changes_its_type_moves_to_that_list(library: Library) -> None:
    assert ONE in library.ids(types="presale")
    library.post(f"projects/{ONE}", type="sales")
    assert ONE in library.ids(types="sales")
    assert ONE not in library.ids(types="presale")


def test_what_makes_no_project_is_refused(library: Library) -> None:
    assert library.refused("projects", id=ONE) == 409
    assert library.refused("projects", id="a/b") == 400
    assert library.refused(f"projects/{ONE}", title="") == 400
    assert library.refused("projects/nothing", title="x") == 404
    assert library.refused("bulk/add", count="many") == 400
    assert library.refused("bulk/change", count=1, changes=[]) == 400


def test_many_are_changed_all_over_the_library(library: Library) -> None:
    before = {project["id"]: project for project in library.page(page_size=100)["projects"]}
    changed = library.post("bulk/change", count=5)["changed"]
    after = {project["id"]: project for project in library.page(page_size=100)["projects"]}
    assert len(set(changed)) == 5
    assert [name for name in after if after[name]["status"] != before[name]["status"]] == changed
    assert changed[-1] in list(after)[20:]
    library.post("bulk/change", count=25, changes={"remark": "全部"})
    assert {project["remark"] for project in library.page(page_size=100)["projects"]} == {"全部"}


def test_many_come_and_go(library: Library) -> None:
    first = library.ids(page_size=100)
    assert library.post("bulk/add", count=300)["added"] == 300
    assert library.page()["total"] == 325
    assert library.post("bulk/remove", count=300)["removed"] == 300
    assert library.ids(page_size=100) == first


def test_a_reset_begins_anew(library: Library) -> None:
    library.post(f"projects/{ONE}", title="anders")
    library.fault("down")
    library.post("reset", count=7)
    assert len(library.ids()) == 7
    assert library.ask(f"projects/{ONE}").json()["title"] != "anders"


def test_projects_are_found_by_their_words(library: Library) -> None:
    library.post(f"projects/{ONE}", title="100% 国产化")
    library.post(f"projects/{ONE}", customer_name="海宁皮革")
    for text in ("100%", "海宁", "PS-000003"):
        assert [row["id"] for row in library.get("projects", q=text)["projects"]] == [ONE]
    assert library.get("projects", q="9%")["projects"] == []
    assert {row["type"] for row in library.get("projects", type="sales")["projects"]} == {"sales"}


def test_answers_are_counted(library: Library) -> None:
    library.ask()
    library.ask(f"projects/{ONE}")
    library.ask(f"projects/{ONE}", key="wrong")
    assert library.get("stats") == {
        "projects": 25,
        "calls": {"list": {"200": 1}, "single": {"200": 1, "401": 1}},
    }
    assert KEY not in str(library.get("stats"))
