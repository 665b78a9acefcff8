"""On a phone, in a real browser: what it keeps, what it asks for, and that nothing is refused by our own policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.utils import timezone

from notifications.models import Notification
from projects.models import ProjectAccessToken, ProjectCache
from projects.page.visitors import COOKIE
from projects.tokens import Issued, issue, revoke

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = {"phone": (390, 844), "small phone": (320, 568), "desk": (1280, 800)}


class Visitor:
    """A person with a phone, and everything that the browser complained about or asked from elsewhere."""

    def __init__(self, browser: Any, server: Any, **options: Any) -> None:
        width, height = SIZES["phone"]
        self.context = browser.new_context(
            **{"viewport": {"width": width, "height": height}, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
            | options
        )
        self.page, self.base = self.context.new_page(), server.url
        self.troubles: list[str] = []
        self.referrers: list[str] = []
        self.page.on("console", lambda line: self.troubles.append(line.text) if _is_trouble(line) else None)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", self._note)

    def _note(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:")):
            self.troubles.append(f"asked elsewhere: {request.url}")
        if referrer := request.headers.get("referer"):
            self.referrers.append(referrer)

    def open(self, url: str) -> Any:
        return self.page.goto(self.base + urlsplit(url)._replace(scheme="", netloc="").geturl())

    def press(self, button: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button, exact=True).click()

    def speak(self, language: str) -> None:
        self.context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": self.base}])

    @property
    def overflows(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def _is_trouble(line: Any) -> bool:
    """The browser also notes each answer of 4xx, which is what these pages are meant to give."""
    return line.type in ("error", "warning") and "the server responded with a status of" not in line.text


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
    width, height = SIZES[size]
    visitor.page.set_viewport_size({"width": width, "height": height})
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
        assert visitor.page.evaluate(POOR_CONTRAST) == []
    assert len(grounds) == 2
    headings = visitor.page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(one => one.tagName)")
    assert headings == ["H1", "H2", "H2", "H2"]
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


POOR_CONTRAST = """
() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => {
    const [r, g, b] = numbers(colour).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if ((numbers(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.classList.contains("unseen")) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push(walker.currentNode.data.trim());
  }
  return poor;
}
"""
"""Texts whose contrast is below 4.5 : 1 (WCAG AA)."""
