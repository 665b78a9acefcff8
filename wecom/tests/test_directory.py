"""Names of members: looked up whatever the spelling of the userid, and once per drain."""

from __future__ import annotations

from typing import Any

import pytest

from wecom.directory import names_of, remembering_names
from wecom.models import Member
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
