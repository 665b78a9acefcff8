"""Whatever a company becomes, run by run: at the end the directory is what WeCom tells."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wecom.models import Department, DirectorySyncRun, Member, MemberDepartment, WeComConfig
from wecom.tests.directory.company import ROOT, Company
from wecom.tests.directory.conftest import synchronise

pytestmark = pytest.mark.django_db

NUMBERS = st.sampled_from([2, 3, 4, 5])
TEXTS = st.sampled_from(["", "a", "张三", "é", "x" * 30])
USERIDS = st.sampled_from(["anna", "Anna", "bert", "CARL", "dora", "emil"])
PLACES = st.dictionaries(st.sampled_from([ROOT, 2, 3, 4, 5]), st.tuples(st.integers(0, 9), st.booleans()), min_size=1)
MEMBER = st.fixed_dictionaries(
    {"name": st.sampled_from(["A", "张三"]), "position": TEXTS, "places": PLACES},
    optional={"mobile": TEXTS, "email": TEXTS, "alias": TEXTS, "gender": st.sampled_from(["0", "1", "2"])},
)
DEPARTMENTS = st.dictionaries(NUMBERS, st.tuples(TEXTS, st.sampled_from([ROOT, 2, 77])), max_size=4)
STATES = st.tuples(DEPARTMENTS, st.dictionaries(USERIDS, MEMBER, max_size=5), st.sampled_from(["full", "user"]))


def become(company: Company, departments: dict[int, Any], members: dict[str, dict[str, Any]]) -> None:
    company.departments.clear()
    company.members.clear()
    company.department(ROOT, parentid=0)
    for number, (name, parent) in departments.items():
        company.department(number, name=name, parentid=parent)
    folded = {userid.lower(): (userid, told) for userid, told in members.items()}
    for userid, told in folded.values():
        told_now = copy.deepcopy(told)
        places = {n: place for n, place in told_now.pop("places").items() if n in company.departments} or {
            ROOT: (0, False)
        }
        company.member(userid, *places, **told_now)
        company.members[userid]["order"] = [order for order, _leads in places.values()]
        company.members[userid]["is_leader_in_dept"] = [int(leads) for _order, leads in places.values()]


def told_of(company: Company) -> dict[str, Any]:
    rows = {}
    for userid, told in company.members.items():
        seats = zip(told["department"], told["order"], told["is_leader_in_dept"], strict=True)
        rows[userid] = (told["name"], told["position"], {(d, order, bool(leads)) for d, order, leads in seats})
    return rows


def kept_here() -> dict[str, Any]:
    rows: dict[str, Any] = {member.userid: (member.name, member.position, set()) for member in Member.objects.current()}
    for place in MemberDepartment.objects.filter(member__deleted_at=None).select_related("member", "department"):
        rows[place.member.userid][2].add((place.department.remote_id, place.order, place.is_leader))
    return rows


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(states=st.lists(STATES, min_size=1, max_size=4))
def test_the_directory_ends_as_the_company(company: Company, saved_app: WeComConfig, states: list[Any]) -> None:
    for model in (Member, Department, DirectorySyncRun):
        model.objects.all().delete()
    known: dict[str, dict[str, str]] = {}
    for departments, members, sync_type in states:
        become(company, departments, members)
        assert synchronise(saved_app, sync_type).status == "success"
        assert kept_here() == told_of(company)
        for userid, told in company.members.items():
            last = known.setdefault(userid.lower(), {})
            last |= {key: told[key] for key in ("mobile", "email") if key in told}
            row = Member.objects.get(userid=userid)
            assert {key: getattr(row, key) for key in ("mobile", "email")} == {
                "mobile": last.get("mobile"),
                "email": last.get("email"),
            }
    synchronise(saved_app, "full")
    listed = {number: (one["name"], one["parentid"]) for number, one in company.departments.items()}
    rows = Department.objects.current()
    assert {row.remote_id: (row.name, row.parent_remote_id) for row in rows} == listed
    again = synchronise(saved_app, "full")
    assert (again.created, again.updated, again.deleted) == (0, 0, 0)
