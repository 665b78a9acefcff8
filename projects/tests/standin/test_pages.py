"""The pages as a person uses them, without JavaScript."""

from __future__ import annotations

import requests

from projects.tests.library import Library

ONE = "PS-000003"


def page(library: Library, path: str) -> str:
    answer = requests.get(library.url + path, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_list_shows_the_newest_first_and_turns_pages(library: Library) -> None:
    first = page(library, "/")
    assert first.count('class="card"') == 20
    assert "000025" in first
    assert ONE not in first
    assert ONE in page(library, "/?page=2")


def test_a_person_searches(library: Library) -> None:
    text = page(library, f"/?q={ONE}")
    assert text.count('class="card"') == 1
    assert page(library, "/?type=sales").count(" · ") < 20
    assert 'class="card"' not in page(library, "/?q=nothing-like-it")


def test_a_person_moves_a_project_on(library: Library) -> None:
    library.post(f"projects/{ONE}", status="pending")
    answer = requests.post(f"{library.url}/change/{ONE}", data={"status": "processing"}, timeout=10)
    assert answer.url.endswith(f"/change/{ONE}")
    assert 'value="processing" aria-current="true"' in answer.text
    assert library.ask(f"projects/{ONE}").json()["status"] == "processing"


def test_a_person_corrects_title_and_customer(library: Library) -> None:
    form = {"title": "锅炉 <房>", "customer_name": " 海宁皮革 ", "phone": "13900001111"}
    answer = requests.post(f"{library.url}/change/{ONE}", data=form, timeout=10)
    assert "锅炉 &lt;房&gt;" in answer.text
    project = library.ask(f"projects/{ONE}").json()
    assert [project[name] for name in form] == ["锅炉 <房>", "海宁皮革", "13900001111"]


def test_a_title_is_needed(library: Library) -> None:
    answer = requests.post(f"{library.url}/change/{ONE}", data={"title": " "}, timeout=10)
    assert answer.status_code == 400
    assert "<h1>400</h1>" in answer.text


def test_a_person_adds_and_deletes_a_project(library: Library) -> None:
    answer = requests.post(
        f"{library.url}/", data={"type": "sales", "title": "新水泵", "customer_name": ""}, timeout=10
    )
    assert "新水泵" in answer.text
    added = library.page(types="sales", page_size=100)["projects"][-1]
    assert (added["title"], bool(added["customer_name"])) == ("新水泵", True)
    requests.post(f"{library.url}/change/{added['id']}", data={"remove": "1"}, timeout=10)
    assert library.ask(f"projects/{added['id']}").status_code == 404


def test_a_project_of_an_unknown_type_and_state_can_still_be_looked_at(library: Library) -> None:
    library.post(f"projects/{ONE}", type="rental", status="odd", stakeholders=[])
    assert "odd" in page(library, f"/change/{ONE}")
    assert page(library, "/?type=rental").count('class="card"') == 1


def test_a_fault_is_switched_on_and_off_by_form(library: Library) -> None:
    url = f"{library.url}/faults"
    form = {"kind": "slow", "seconds": "0.1", "from_page": "2", "endpoint": "list", "count": ""}
    requests.post(url, data=form, timeout=10)
    [fault] = library.get("faults")["faults"]
    assert (fault["seconds"], fault["from_page"], fault["endpoint"]) == (0.1, 2, "list")
    assert f'value="{fault["id"]}"' in page(library, "/faults")
    requests.post(url, data={"remove": "all"}, timeout=10)
    assert library.get("faults")["faults"] == []
    assert requests.post(url, data={"kind": "slow", "seconds": "long"}, timeout=10).status_code == 400


def test_no_page_asks_another_host(library: Library) -> None:
    for path in ("/", f"/change/{ONE}", "/faults"):
        text = page(library, path)
        assert "https://" not in text
        assert "http://" not in text


def test_pages_speak_the_chosen_language(library: Library) -> None:
    browser = requests.Session()
    for language in ("en", "zh-hans"):
        browser.post(f"{library.url}/language", data={"language": language}, timeout=10)
        assert f'<html lang="{language}">' in browser.get(library.url, timeout=10).text


def test_unknown_pages_and_calls_are_404(library: Library) -> None:
    for path in ("/nowhere", "/change/nothing", "/standin/api/nowhere"):
        assert requests.get(library.url + path, timeout=10).status_code == 404
    assert requests.get(f"{library.url}/standin/api/reset", timeout=10).status_code == 405
