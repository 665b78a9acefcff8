"""Names of members: looked up whatever the spelling of the userid, and once per drain."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from wecom.directory import may_be_member, name_of, names_of, remembering_names
from wecom.models import Member, Origin
from wecom.tests.inbound import make_config

pytestmark = pytest.mark.django_db


def test_names_are_found_however_the_userid_is_spelt() -> None:
    Member.objects.create(config=make_config(), userid="Li.Mei", name="李梅")
    assert names_of(["LI.MEI", "nobody"]) == {"li.mei": "李梅"}
    assert names_of([]) == {}


def test_a_drain_looks_each_name_up_once_known_or_not(django_assert_num_queries: Any) -> None:
    member = Member.objects.create(config=make_config(), userid="li.mei", name="李梅")
    with remembering_names(), django_assert_num_queries(1):
        assert names_of(["li.mei", "nobody"]) == names_of(["Li.Mei"]) == {"li.mei": "李梅"}
        assert names_of(["nobody"]) == {}
    Member.objects.filter(pk=member.pk).update(name="李眉")
    assert names_of(["li.mei"]) == {"li.mei": "李眉"}


def test_the_same_userid_in_another_company_is_somebody_else() -> None:
    ours, theirs = make_config(), make_config("other", corp_id="wwother")
    Member.objects.create(config=theirs, userid="li.mei", name="李四")
    assert names_of(["li.mei"]) == {}
    assert name_of("li.mei") == "li.mei"
    assert names_of(["li.mei"], config_id=theirs.pk) == {"li.mei": "李四"}
    Member.objects.create(config=ours, userid="Li.Mei", name="李梅")
    with remembering_names():
        for _ in range(2):
            assert name_of("li.mei", config_id=ours.pk) == name_of("li.mei") == "李梅"
            assert name_of("li.mei", config_id=theirs.pk) == "李四"


def test_of_what_several_apps_of_a_company_know_a_name_counts_and_who_is_still_there() -> None:
    apps = [make_config(slug) for slug in ("default", "sales", "old")]
    for app, name, gone in zip(apps, ("li.mei", "李梅", "李妹"), (None, None, timezone.now()), strict=True):
        Member.objects.create(config=app, userid="li.mei", name=name, deleted_at=gone)
    assert {name_of("li.mei", config_id=app.pk) for app in apps} == {"李梅"}
    Member.objects.filter(name="李梅").delete()
    assert name_of("li.mei") == "李妹"


def test_until_the_directory_is_read_nobody_can_tell_who_is_no_member() -> None:
    ours, theirs = make_config(), make_config("other", corp_id="wwother")
    Member.objects.create(config=ours, userid="Li.Mei", name="李梅")  # by hand
    Member.objects.create(config=theirs, userid="zhou.lan", name="周岚", origin=Origin.WECOM)
    assert may_be_member("li.mei")
    assert may_be_member("anybody")
    assert not may_be_member("anybody", config_id=theirs.pk)
    Member.objects.create(config=ours, userid="wu.jing", name="吴静", origin=Origin.WECOM, deleted_at=timezone.now())
    assert [userid for userid in ("LI.mei", "wu.jing", "anybody") if may_be_member(userid, config_id=ours.pk)] == [
        "LI.mei"
    ]
