"""Browser windows: the admin at a desk, and phones inside WeCom. What their consoles complain about is kept."""

from __future__ import annotations

from typing import Any

from django.utils import translation

from approvals.tests.e2e.house import PASSWORD, House

PHONE = {"width": 390, "height": 844}
WXWORK = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/15E148 wxwork/4.1.36 MicroMessenger/7.0.1 Language/zh"
"""Browser of WeCom's app: pages opened in it log in silently."""


def in_chinese(word: Any) -> str:
    with translation.override("zh-hans"):
        return str(word)


def phone_window(chromium: Any, complaints: list[str]) -> Any:
    """A page of a browser of its own, inside WeCom on a phone. Whoever opens it closes its ``context``."""
    context = chromium.new_context(
        timezone_id="Asia/Shanghai", locale="zh-CN", viewport=PHONE, has_touch=True, is_mobile=True, user_agent=WXWORK
    )
    return watched(context.new_page(), complaints)


def watched(page: Any, complaints: list[str]) -> Any:
    """Adds to ``complaints`` scripts that failed, and what the content policy has blocked."""
    page.set_default_timeout(10_000)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def fits(page: Any) -> bool:
    """Nothing is wider than the screen."""
    width = page.evaluate("document.documentElement.scrollWidth")
    return bool(width <= page.viewport_size["width"])


def log_in(page: Any, house: House, username: str) -> None:
    page.goto(f"{house.url}/admin/login/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{house.url}/admin/")
