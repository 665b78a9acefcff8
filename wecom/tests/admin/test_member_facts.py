"""What WeCom tells of a member on the member's page: unknown is not empty, and markup stays text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from config.testing.admin_browser import logged_in
from config.testing.people import staff
from wecom.models import Member

pytestmark = pytest.mark.django_db

VIEW, PHONES = "wecom.view_member", "wecom.view_customer_phone"
UNKNOWN = "Not told to this app"


def page_of(member: Member, *rights: str) -> str:
    client = logged_in(staff(VIEW, *rights, name=f"reader{User.objects.count()}"))
    return client.page(reverse("admin:wecom_member_change", args=[member.pk]))


def after(page: str, label: str) -> str:
    """The page's text after a field's label."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.split(f"{label}", 1)[1]).split())


def test_what_an_app_is_not_told_is_unknown_and_what_is_empty_is_not(rows: dict[str, Any]):
    member = rows["member"]
    told = {"email": "", "biz_mail": "", "mobile": "", "gender": "", "avatar": ""}
    Member.objects.filter(pk=member.pk).update(**dict.fromkeys((*told, "status", "main_department")))
    assert page_of(member, PHONES).count(UNKNOWN) == len(told) + 2
    assert page_of(member).count(UNKNOWN) == len(told)  # without the two addresses
    Member.objects.filter(pk=member.pk).update(**told, status=1, main_department=2)
    assert UNKNOWN not in page_of(member, PHONES)


def test_everything_that_is_told_stands_there(rows: dict[str, Any]):
    member = rows["member"]
    member.gender, member.avatar = "2", "https://wework.example/p.png?a=1&b=2"
    member.extra = {
        "english_name": "May <i>Li</i>",
        "address": "Room 5",
        "extattr": {
            "attrs": [
                {"type": 0, "name": "Badge", "text": {"value": "B-77"}},
                {"type": 1, "name": "Site", "web": {"url": "https://may.example", "title": "x"}},
                {"type": 0, "name": "Nothing", "text": {"value": ""}},
                "not an attribute",
            ]
        },
        "external_profile": {"external_attr": [{"type": 2, "name": "Shop", "miniprogram": {"title": "Our shop"}}]},
    }
    member.save()
    page = page_of(member, PHONES)
    for text in (
        "Female",
        'href="https://wework.example/p.png?a=1&amp;b=2"',
        "English name: May &lt;i&gt;Li&lt;/i&gt;",
        "Address: Room 5",
        "Badge: B-77",
        "Site: https://may.example",
        "Shop: Our shop",
    ):
        assert text in page
    assert "Nothing:" not in page
    assert after(page, "Main department").startswith("销售部")
    assert "B-77" not in page_of(member)  # may be anything, private numbers too


def test_an_address_that_is_none_is_no_link(rows: dict[str, Any]):
    Member.objects.filter(pk=rows["member"].pk).update(avatar="javascript:alert(1)", main_department=404)
    page = page_of(rows["member"], PHONES)
    assert 'href="javascript' not in page and "javascript:alert(1)" in page
    assert after(page, "Main department").startswith("404")
