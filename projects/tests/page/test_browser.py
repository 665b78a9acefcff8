"""On a phone, in a real browser: what it keeps, what it asks for, and that nothing is refused by our own policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.utils import timezone

from config.testing.phones import SIZES, BrowserOnPhone
from notifications.models import Notification
from projects.models import ProjectAccessToken, ProjectCache
from projects.page.visitors import COOKIE
from projects.tokens import Issued, issue, revoke

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Visitor(BrowserOnPhone):
    """Somebody with a link: also what the browser asked from elsewhere, and where it told from which page it came."""

    def __init__(self, browser: Any, server: Any, **options: Any) -> None:
        super().__init__(browser, **{"locale": "zh-CN"} | options)
        self.base = server.url
        self.referrers: list[str] = []
        self.page.on("request", self._note_request)

    def _note_request(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:")):
            self.troubles.append(f"asked elsewhere: {request.url}")
        if referrer := request.headers.get("referer"):
            self.referrers.append(referrer)

    def open(self, url: str) -> Any:
        return self.page.goto(self.base + urlsplit(url)._replace(scheme="", netloc="").geturl())

    def speak(self, language: str) -> None:
        self.context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": self.base}])


@pytest.fixture
def visitor(chromium: Any, live_server: Any) -> Iterator[Visitor]:
    visitor = Visitor(chromium, live_server)
    visitor.speak("en")
    yield visitor
    visitor.context.close()
    assert visitor.troubles == []
    assert visitor.referrers == []


def test_the_token_leaves_the_address_and_does_not_come_back(visitor: Visitor, link: Issued):
    visitor.page.goto("about:blank")
    assert visitor.open(link.url).status == 200
    clean = f"{visitor.base}/project/SO-1"
    assert visitor.page.url == clean
    visitor.press("Refresh")
    visitor.page.go_back()
    assert "token" not in visitor.page.url
    while visitor.page.url != "about:blank":
        assert visitor.page.url == clean
        visitor.page.go_back()
    visitor.page.go_forward()
    assert visitor.page.url == clean
    assert "二期厂房板式换热器采购" in visitor.page.inner_text("h1")
    assert link.token not in visitor.page.content()


def test_the_cookie_is_out_of_reach_of_scripts_and_other_pages(visitor: Visitor, link: Issued):
    visitor.open(link.url)
    cookie = next(cookie for cookie in visitor.context.cookies() if cookie["name"] == COOKIE)
    assert (cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == ("/project/SO-1", True, "Lax")
    assert abs(cookie["expires"] - link.row.expires_at.timestamp()) < 60
    assert COOKIE not in visitor.page.evaluate("document.cookie")
    sent = {cookie["name"] for cookie in visitor.context.cookies(f"{visitor.base}/project/SO-10")}
    assert COOKIE not in sent


def test_refresh_and_language_work_without_scripts(chromium: Any, live_server: Any, link: Issued, library: Any):
    visitor = Visitor(chromium, live_server, java_script_enabled=False)
    visitor.open(link.url)
    visitor.press("English")
    assert visitor.page.url == f"{visitor.base}/project/SO-1"
    library.projects["SO-1"] = library.projects["SO-1"] | {"status": "completed"}
    visitor.press("Refresh")
    assert "This is the latest state." in visitor.page.inner_text("[role=status]")
    assert visitor.page.inner_text("[aria-current=step] > span") == "Completed"
    visitor.press("Refresh")
    assert "You can refresh again in" in visitor.page.inner_text("[role=status]")
    visitor.page.get_by_text("more detail").click()
    assert visitor.page.get_by_text("B-12").is_visible()
    visitor.press("中文")
    assert visitor.page.get_attribute("html", "lang") == "zh-hans"
    visitor.context.close()
    assert visitor.troubles == []


def test_asking_for_a_new_link(visitor: Visitor, expired: Issued):
    assert visitor.open(expired.url).status == 401
    assert visitor.page.url == f"{visitor.base}/project/SO-1"
    visitor.press("Ask for a new link")
    assert "Your contact has been told" in visitor.page.inner_text("main")
    assert Notification.objects.count() == 1


def withdrawn(link: Issued) -> None:
    revoke(ProjectAccessToken.objects.filter(pk=link.row.pk), None)


def ended(link: Issued) -> None:
    ProjectAccessToken.objects.filter(pk=link.row.pk).update(expires_at=timezone.now() - timedelta(hours=1))


def gone(link: Issued) -> None:
    ProjectCache.objects.update(removed_at=timezone.now())


def fine(link: Issued) -> None:
    pass


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_page_is_wider_than_its_screen(
    visitor: Visitor, copied: Callable[..., ProjectCache], size: str, language: str
):
    visitor.speak(language)
    visitor.resize(size)
    project = copied(
        title="关于苏州工业园区二期厂房板式换热器及配套循环水泵组采购安装调试与三年维保服务的项目" + "长" * 60,
        product="A" * 200,
        tracking_number="1" * 80,
        stakeholders=[{"role": "salesman", "user_id": "x", "name": "欧阳" * 30}],
    )
    for happens in (fine, gone, ended, withdrawn):
        link = issue(project, user_id="C1", user_name="W" * 90, access_type="customer")
        happens(link)
        visitor.open(link.url)
        assert not visitor.overflows, happens.__name__
        visitor.context.clear_cookies(name=COOKIE)
    visitor.open("/project/SO-1")
    assert not visitor.overflows


def test_it_can_be_read_in_any_light_and_with_the_keyboard(visitor: Visitor, link: Issued):
    visitor.open(link.url)
    grounds = set()
    for scheme in ("light", "dark"):
        visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        grounds.add(visitor.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert visitor.poor_contrast == []
    assert len(grounds) == 2
    headings = visitor.page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(one => one.tagName)")
    assert headings == ["H1", "H2", "H2", "H2"]
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
