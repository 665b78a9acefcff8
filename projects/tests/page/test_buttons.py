"""Refresh, and asking for a new link."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from config.testing.processes import Valkey
from notifications.models import Notification
from projects.models import ProjectAccessToken, ProjectCache
from projects.tests.page.browserless import Phone
from projects.tokens import Issued, issue, revoke


def english(url: str) -> Phone:
    phone = Phone()
    phone.client.cookies["django_language"] = "en"
    phone.open(url)
    return phone


class TestRefresh:
    def test_it_shows_the_newest_state(self, link: Issued, library: Any):
        phone = english(link.url)
        library.projects["SO-1"] = library.projects["SO-1"] | {"status": "completed", "quantity": 13}
        phone.press("Refresh")
        assert library.asked == 1
        assert phone.answer.redirect_chain == [("/project/SO-1", 302)]
        assert "This is the latest state." in phone.text
        assert "Completed" in phone.text and "just now" in phone.text

    def test_the_answer_is_given_once(self, link: Issued):
        phone = english(link.url)
        phone.press("Refresh")
        phone.open("/project/SO-1")
        assert "latest state" not in phone.text

    def test_pressed_again_it_says_when_it_may_be(self, link: Issued, library: Any):
        phone = english(link.url)
        phone.press("Refresh")
        phone.press("Refresh")
        assert library.asked == 1
        assert "You can refresh again in" in phone.text

    def test_another_reader_waits_as_well(self, link: Issued, project: ProjectCache, library: Any):
        english(link.url).press("Refresh")
        other = english(issue(project, user_id="E", user_name="何涛", access_type="engineer").url)
        other.press("Refresh")
        assert "asked for a moment ago" in other.text

    def test_after_the_pause_it_may_be_pressed_again(self, link: Issued, library: Any):
        phone = english(link.url)
        phone.press("Refresh")
        cache.clear()  # what the end of the pause does
        ProjectCache.objects.update(fetched_at=timezone.now() - timedelta(minutes=1))
        phone.press("Refresh")
        assert library.asked == 2

    def test_a_library_that_is_away_is_told_as_it_is(self, link: Issued, library: Any):
        phone = english(link.url)
        library.down = True
        phone.press("Refresh")
        assert phone.answer.status_code == 200
        assert "Our project library does not answer at the moment." in phone.text
        assert "latest state" not in phone.text

    def test_it_is_not_told_twice(self, copied: Callable[..., ProjectCache], library: Any):
        project = copied(timedelta(hours=2))
        library.down = True
        phone = english(issue(project, user_id="C1", user_name="王芳", access_type="customer").url)
        assert phone.text.count("does not answer") == 1
        cache.clear()
        phone.press("Refresh")
        assert phone.text.count("does not answer") == 1
        assert "try again in 30 seconds" in phone.text
        phone.press("Refresh")
        assert "This may be out of date" in phone.text

    def test_a_project_that_is_gone_says_so(self, link: Issued, library: Any):
        phone = english(link.url)
        del library.projects["SO-1"]
        phone.press("Refresh")
        assert "This project has left our library" in phone.text
        assert ">Refresh<" not in phone.answer.content.decode()

    def test_it_works_while_redis_is_away(self, link: Issued, library: Any, valkey: Valkey, settings: Any):
        phone = english(link.url)
        settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": valkey.url}}
        valkey.kill()
        phone.press("Refresh")
        assert "This is the latest state." in phone.text

    def test_no_link_no_refresh(self, project: ProjectCache, link: Issued, library: Any):
        phone = english(link.url)
        revoke(ProjectAccessToken.objects.all(), None)
        phone.press("Refresh")
        assert phone.answer.status_code == 403
        assert library.asked == 0

    def test_reloading_its_address_leads_to_the_page(self, link: Issued, library: Any):
        phone = english(link.url)
        assert phone.open("/project/SO-1/refresh").redirect_chain == [("/project/SO-1", 302)]
        assert library.asked == 0


class TestAsk:
    def test_the_salesman_is_told(self, expired: Issued):
        phone = english(expired.url)
        assert phone.answer.status_code == 401
        phone.press("Ask for a new link")
        assert "Your contact has been told" in phone.text
        assert "Ask for a new link" not in phone.text
        row = Notification.objects.get()
        assert (row.event, row.channel, row.address) == ("project.link_requested", "wechat", "li.mei")
        assert "王芳" in row.body

    def test_once_a_day(self, expired: Issued):
        phones = [english(expired.url), english(expired.url)]
        for phone in phones:
            phone.press("Ask for a new link")
            assert "Your contact has been told" in phone.text
        assert Notification.objects.count() == 1

    def test_another_day_it_may_be_asked_again(self, expired: Issued, time_machine: Any):
        time_machine.move_to(timezone.now().replace(hour=4) + timedelta(days=1), tick=True)  # noon in Shanghai
        phone = english(expired.url)
        phone.press("Ask for a new link")
        time_machine.shift(timedelta(days=1))
        phone.open("/project/SO-1")
        phone.press("Ask for a new link")
        assert Notification.objects.count() == 2

    def test_when_nobody_can_be_told_it_says_so(self, copied: Callable[..., ProjectCache]):
        issued = issue(copied(stakeholders=[]), user_id="C1", user_name="王芳", access_type="customer")
        ProjectAccessToken.objects.update(expires_at=timezone.now() - timedelta(hours=1))
        phone = english(issued.url)
        phone.press("Ask for a new link")
        assert "Please call or write to them." in phone.text
        assert "has been told" not in phone.text

    def test_only_an_expired_link_asks(self, link: Issued):
        phone = english(link.url)
        revoke(ProjectAccessToken.objects.all(), None)
        assert phone.open("/project/SO-1").status_code == 403
        assert "Ask for" not in phone.text
        token = phone.client.cookies["csrftoken"].value
        answer = phone.client.post("/project/SO-1/ask", {"csrfmiddlewaretoken": token}, headers={"origin": "null"})
        assert answer.status_code == 403
        assert not Notification.objects.exists()

    def test_with_a_good_link_there_is_nothing_to_ask(self, link: Issued):
        phone = english(link.url)
        token = phone.client.cookies["csrftoken"].value
        answer = phone.client.post("/project/SO-1/ask", {"csrfmiddlewaretoken": token}, headers={"origin": "null"})
        assert answer.headers["Location"] == "/project/SO-1"
        assert not Notification.objects.exists()

    def test_whose_link_was_purged_cannot_be_helped_here(self, expired: Issued, time_machine: Any):
        time_machine.move_to(timezone.now() + timedelta(days=8), tick=True)
        ProjectAccessToken.objects.all().delete()
        phone = english(expired.url)
        assert (phone.answer.status_code, "This link has expired" in phone.text) == (401, True)
        assert "Ask for a new link" not in phone.text


@pytest.mark.parametrize("button", ["refresh", "ask", "language"])
class TestForeignForms:
    """Somebody else's page makes the reader's browser send the form."""

    def test_without_the_pages_own_token_nothing_happens(self, button: str, link: Issued, library: Any):
        client = Client(enforce_csrf_checks=True)
        client.get("/project/SO-1", {"token": link.token})
        client.get("/project/SO-1")
        answer = client.post(f"/project/SO-1/{button}", {"language": "en"}, headers={"origin": "null"})
        assert answer.status_code == 403
        assert '<form class="tongue"' in answer.content.decode()  # a page of ours, with a way on
        assert library.asked == 0

    def test_another_sites_name_is_refused_even_with_the_token(self, button: str, link: Issued):
        phone = Phone()
        phone.open(link.url)
        token = phone.client.cookies["csrftoken"].value
        answer = phone.client.post(
            f"/project/SO-1/{button}", {"csrfmiddlewaretoken": token}, headers={"origin": "https://elsewhere.example"}
        )
        assert answer.status_code == 403
