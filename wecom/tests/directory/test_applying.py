"""What a run makes of a company: everything, whole, and only what has changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from wecom.directory_sync import linking, runs
from wecom.models import Department, DirectoryRunStatus, DirectorySyncRun, Member, MemberDepartment, Origin, WeComConfig
from wecom.tests.directory.company import ROOT, Company
from wecom.tests.directory.conftest import synchronise
from wecom.tests.peers import Peer

pytestmark = pytest.mark.django_db(transaction=True)


def places(userid: str) -> list[tuple[int, int, bool]]:
    rows = MemberDepartment.objects.filter(member__userid=userid).order_by("department__remote_id")
    return list(rows.values_list("department__remote_id", "order", "is_leader"))


def counts(run: DirectorySyncRun) -> tuple[int, int, int, int]:
    """New, changed, unchanged, gone."""
    return run.created, run.updated, run.unchanged, run.deleted


def test_a_company_comes_in_whole(company: Company, saved_app: WeComConfig) -> None:
    company.department(2, name="销售部", name_en="Sales", department_leader=["li.mei"], order=4294967295)
    company.department(3, parentid=2)
    told: dict[str, Any] = {
        "order": [7, 0],
        "is_leader_in_dept": [1, 0],
        "main_department": 2,
        "direct_leader": ["boss"],
        "mobile": "13800000000",
        "email": "",
        "gender": "2",
        "extattr": {"attrs": [{"type": 0, "name": "工号", "text": {"value": "7"}}]},
    }
    company.member("li.mei", 2, 3, name="李梅", **told)
    run = synchronise(saved_app)
    assert (run.status, run.fetched, run.error_detail) == (DirectoryRunStatus.SUCCESS, 4, "")
    assert counts(run) == (4, 0, 0, 0) and 4 <= run.calls_done == run.calls_expected
    sales = Department.objects.get(remote_id=2)
    assert (sales.name, sales.name_en, sales.leaders, sales.order) == ("销售部", "Sales", ["li.mei"], 4294967295)
    member = Member.objects.get()
    assert (member.name, member.mobile, member.email, member.biz_mail) == ("李梅", "13800000000", "", None)
    assert (member.gender, member.status, member.main_department, member.direct_leader) == ("2", 1, 2, "boss")
    assert member.extra["extattr"]["attrs"][0]["name"] == "工号"
    assert member.origin == Origin.WECOM and member.synced_at is not None
    assert places("li.mei") == [(2, 7, True), (3, 0, False)]


def test_the_same_again_writes_nothing(company: Company, saved_app: WeComConfig) -> None:
    company.department(2)
    company.have(30, ROOT, 2)
    synchronise(saved_app)
    with CaptureQueriesContext(connection) as queries:
        run = synchronise(saved_app)
    assert counts(run) == (0, 0, 32, 0)
    written = [q["sql"] for q in queries if q["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert {sql.split('"')[1] for sql in written} == {"wecom_directorysyncrun"}


def test_only_what_has_changed_is_written(company: Company, saved_app: WeComConfig) -> None:
    company.department(2)
    company.have(20, ROOT, 2)
    synchronise(saved_app)
    first = dict(Member.objects.values_list("userid", "synced_at"))
    company.members["u003"] |= {"position": "经理", "department": [2], "order": [5], "is_leader_in_dept": [1]}
    company.departments[2]["name"] = "新名"
    run = synchronise(saved_app)
    assert counts(run) == (0, 2, 20, 0)
    later = dict(Member.objects.values_list("userid", "synced_at"))
    assert {userid for userid in first if first[userid] != later[userid]} == {"u003"}
    assert places("u003") == [(2, 5, True)] and len(places("u004")) == 2
    assert Department.objects.get(remote_id=2).name == "新名"


def test_leavers_are_marked_and_come_back(company: Company, saved_app: WeComConfig) -> None:
    company.have(12)
    synchronise(saved_app)
    user = get_user_model().objects.create(username="anna")
    Member.objects.filter(userid="u001").update(user=user)
    company.remove("u001")
    company.members["u002"]["status"] = 5
    run = synchronise(saved_app, "user")
    assert counts(run) == (0, 0, 10, 2)
    gone = Member.objects.get(userid="u001")
    assert gone.deleted_at is not None and gone.user == user
    assert Member.objects.current().count() == 10
    assert counts(synchronise(saved_app, "user")) == (0, 0, 10, 0)
    company.member("u001")
    assert counts(synchronise(saved_app, "user")) == (0, 1, 10, 0)
    back = Member.objects.get(userid="u001")
    assert back.deleted_at is None and back.pk == gone.pk


def test_rows_made_by_hand_stay_and_are_adopted(company: Company, saved_app: WeComConfig) -> None:
    user = get_user_model().objects.create(username="anna")
    Member.objects.create(config=saved_app, userid="By.Hand", name="手工")
    Member.objects.create(config=saved_app, userid="ANNA", name="旧名", user=user)
    company.member("anna", name="安娜")
    run = synchronise(saved_app)
    assert counts(run) == (1, 1, 0, 0)
    by_hand = Member.objects.get(userid="By.Hand")
    assert (by_hand.origin, by_hand.name, by_hand.deleted_at) == (Origin.MANUAL, "手工", None)
    anna = Member.objects.get(user=user)
    assert (anna.userid, anna.name, anna.origin) == ("anna", "安娜", Origin.WECOM)


def test_a_userid_that_changes_its_case_is_the_same_member(company: Company, saved_app: WeComConfig) -> None:
    company.member("zhang.san")
    synchronise(saved_app)
    company.members.clear()
    company.member("Zhang.San")
    assert counts(synchronise(saved_app)) == (0, 1, 1, 0)
    assert Member.objects.get().userid == "Zhang.San"


def test_what_wecom_does_not_tell_stays(company: Company, saved_app: WeComConfig) -> None:
    told = company.member(
        "anna", mobile="138", email="a@x", gender="2", address="路 1 号", alias="A", avatar="http://x"
    )
    synchronise(saved_app)
    for key in ("mobile", "email", "address", "alias", "avatar"):
        del told[key]
    told["gender"] = "0"
    told["position"] = ""
    assert synchronise(saved_app).updated == 1
    member = Member.objects.get()
    assert (member.mobile, member.email, member.gender, member.alias) == ("138", "a@x", "2", "A")
    assert (member.position, member.extra["address"], member.avatar) == ("", "路 1 号", "http://x")


def test_a_parent_outside_the_scope_is_kept_by_its_number(company: Company, saved_app: WeComConfig) -> None:
    company.departments.clear()
    company.department(40, parentid=39)
    synchronise(saved_app)
    assert Department.objects.get().parent_remote_id == 39


def test_members_alone_bring_their_departments_along(company: Company, saved_app: WeComConfig) -> None:
    company.department(2)
    company.member("anna", 2)
    synchronise(saved_app, "user")
    assert places("anna") == [(2, 0, False)]
    assert Department.objects.get(remote_id=2).name == ""
    assert counts(synchronise(saved_app, "department")) == (0, 2, 0, 0)
    assert Department.objects.get(remote_id=2).name == "部门2"


def test_a_department_that_was_gone_comes_back_with_its_members(company: Company, saved_app: WeComConfig) -> None:
    company.department(2)
    synchronise(saved_app)
    del company.departments[2]
    synchronise(saved_app, "department")
    assert Department.objects.get(remote_id=2).deleted_at is not None
    company.department(2)
    company.member("anna", 2)
    synchronise(saved_app, "user")
    assert Department.objects.get(remote_id=2).deleted_at is None


def test_a_row_that_an_event_changed_meanwhile_is_newer(company: Company, saved_app: WeComConfig, peer: Peer) -> None:
    company.member("anna", name="旧名")
    company.member("bert")
    company.department(2)
    synchronise(saved_app)
    company.members["anna"]["name"] = "名单上的名字"
    company.remove("bert")

    def meanwhile(request: Any) -> dict[str, Any]:
        now = timezone.now()
        Member.objects.filter(userid="anna").update(name="事件里的名字", synced_at=now, content_hash="")
        Member.objects.filter(userid="bert").update(synced_at=now, content_hash="")
        connection.close()
        return company.user_list(request)

    company.answer(peer, "user/list", meanwhile)
    synchronise(saved_app)
    assert Member.objects.get(userid="anna").name == "事件里的名字"
    assert Member.objects.get(userid="bert").deleted_at is None
    synchronise(saved_app)
    assert Member.objects.get(userid="anna").name == "名单上的名字"
    assert Member.objects.get(userid="bert").deleted_at is not None


def test_force_writes_everything_anew(company: Company, saved_app: WeComConfig) -> None:
    company.member("anna", name="安娜")
    synchronise(saved_app)
    Member.objects.update(name="verändert")
    assert synchronise(saved_app).updated == 0
    assert counts(synchronise(saved_app, force=True)) == (0, 2, 0, 0)
    assert Member.objects.get().name == "安娜"


def test_the_brake_holds_until_a_person_says_so(company: Company, saved_app: WeComConfig) -> None:
    company.have(40)
    synchronise(saved_app)
    company.remove(*list(company.members)[:11])
    company.department(2)
    run = synchronise(saved_app)
    assert run.status == DirectoryRunStatus.FAILED and "11" in run.message and "40" in run.message
    assert Member.objects.current().count() == 40 and not Department.objects.filter(remote_id=2).exists()
    assert counts(synchronise(saved_app, force=True))[3] == 11
    assert Member.objects.current().count() == 29


def test_the_brake_lets_few_go(company: Company, saved_app: WeComConfig) -> None:
    company.have(15)
    synchronise(saved_app)
    company.remove(*list(company.members)[:10])
    assert synchronise(saved_app).deleted == 10


def test_a_dry_run_tells_and_writes_nothing(company: Company, saved_app: WeComConfig) -> None:
    company.have(14)
    synchronise(saved_app)
    company.remove("u001")
    company.members["u002"]["name"] = "新名"
    company.member("neu", name="新人")
    before = list(Member.objects.order_by("pk").values())
    departments, members, *_customers = runs.dry_run(saved_app, "full").parts
    assert (departments.unchanged, members.created, members.updated, members.deleted) == (1, 1, 1, 1)
    assert members.examples == {"created": ["新人 (neu)"], "updated": ["新名 (u002)"], "deleted": ["姓名u001 (u001)"]}
    assert list(Member.objects.order_by("pk").values()) == before and DirectorySyncRun.objects.count() == 1


def test_who_has_no_userid_is_counted_and_nobody_leaves(company: Company, saved_app: WeComConfig) -> None:
    company.have(3)
    synchronise(saved_app)
    company.remove("u000")
    company.members["?"] = {"name": "没有账号", "department": [ROOT]}
    run = synchronise(saved_app)
    assert (run.status, run.failed, run.deleted) == ("success", 1, 0) and "没有账号" in run.error_detail
    assert Member.objects.current().count() == 3


def test_odd_values_are_made_to_fit(company: Company, saved_app: WeComConfig) -> None:
    company.member(
        "anna",
        name="长" * 300,
        alias="a\0b",
        telephone=12345,
        status="1",
        main_department="x",
        direct_leader="?",
        order=["?"],
        is_leader_in_dept=None,
        department=["1", None, 1],
    )
    assert synchronise(saved_app).status == "success"
    member = Member.objects.get()
    assert (len(member.name), member.alias, member.telephone, member.status) == (64, "ab", "12345", 1)
    assert places("anna") == [(1, 0, False)]


def test_a_member_in_two_departments_counts_once(company: Company, saved_app: WeComConfig) -> None:
    company.department(2)
    company.member("anna", ROOT, 2)
    assert counts(synchronise(saved_app, "user")) == (1, 0, 0, 0)


def test_a_department_too_large_is_read_one_by_one(company: Company, saved_app: WeComConfig) -> None:
    company.have(4)
    company.too_large = {ROOT}
    run = synchronise(saved_app, "user")
    assert (run.created, run.status) == (4, "success") and Member.objects.get(userid="u002").position == "工程师"


def test_who_changes_departments_while_they_are_read_has_not_left(
    company: Company, saved_app: WeComConfig, peer: Peer
) -> None:
    company.department(2)
    company.member("anna", ROOT)
    company.member("bert", 2)
    synchronise(saved_app)

    def moves(request: Any) -> dict[str, Any]:
        answer = company.user_list(request)
        company.members["bert"] |= {"department": [ROOT], "main_department": ROOT}  # from the later to the earlier one
        return answer

    company.answer(peer, "user/list", moves)
    run = synchronise(saved_app)
    assert (run.deleted, run.updated) == (0, 1)
    assert places("bert") == [(ROOT, 0, False)]


def test_the_assistant_tells_of_those_whom_the_app_cannot_see(
    company: Company, saved_app: WeComConfig, peer: Peer
) -> None:
    company.department(2)
    company.have(4)
    company.member("hidden", ROOT, 2)
    synchronise(saved_app)
    company.outside = {"hidden"}
    assert synchronise(saved_app).deleted == 1
    saved_app.contact_secret = "assistant-secret"
    saved_app.save()
    run = synchronise(saved_app)
    assert (run.updated, run.deleted) == (1, 0)
    hidden = Member.objects.current().get(userid="hidden")
    assert (hidden.name, hidden.position) == ("姓名hidden", "工程师")
    company.member("new.one", 2)
    company.outside.add("new.one")
    synchronise(saved_app)
    assert Member.objects.get(userid="new.one").name == "new.one" and places("new.one") == [(2, 0, False)]
    assert {call.query["corpsecret"] for call in peer.calls("gettoken")} == {"assistant-secret", "canary-secret-5b1f"}
    assert len(peer.calls("user/list_id")) >= 4


def test_two_apps_do_not_touch_each_other(company: Company, saved_app: WeComConfig) -> None:
    other = WeComConfig.objects.create(slug="other", corp_id="wwother", agent_id=1, secret="s", name="Other")
    Member.objects.create(config=other, userid="anna", name="Andere", origin=Origin.WECOM)
    company.member("anna")
    synchronise(saved_app)
    company.remove("anna")
    synchronise(saved_app)
    assert Member.objects.current().get().config == other


def test_users_are_suggested_by_userid_and_mail(company: Company, saved_app: WeComConfig) -> None:
    users = get_user_model().objects
    anna = users.create(username="ANNA")
    bert = users.create(username="bb", email="Bert@x.cn")
    users.create(username="c1", email="same@x.cn")
    users.create(username="c2", email="same@x.cn")
    users.create(username="gone", is_active=False)
    company.member("anna", email="bert@x.cn")
    company.member("b2", biz_mail="bert@x.cn")
    company.member("c3", email="same@x.cn")
    company.member("gone")
    company.members["anna"]["email"] = "anna@x.cn"
    synchronise(saved_app)
    found = dict(Member.objects.values_list("userid", "suggested_user"))
    assert found == {"anna": anna.pk, "b2": bert.pk, "c3": None, "gone": None}
    assert linking.confirm(Member.objects.filter(userid="anna")) == 1
    assert Member.objects.get(user=anna).suggested_user is None
    bert.email = "other@x.cn"
    bert.save()
    synchronise(saved_app)
    assert Member.objects.get(userid="b2").suggested_user is None


def test_finished_runs_say_how_long_they_took(company: Company, saved_app: WeComConfig) -> None:
    run = synchronise(saved_app)
    assert run.duration is not None and timedelta(0) < run.duration < timedelta(minutes=1)
    assert run.claim is not None and run.alive_until is None and run.phase == ""
