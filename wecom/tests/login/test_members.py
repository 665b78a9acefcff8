"""Members without a staff user: let in to the pages for members, and to nothing else, for as long as they belong."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from wecom.login.members import SESSION_KEY
from wecom.models import Member, WeComConfig
from wecom.tests.login.conftest import WXWORK, LogInBrowser
from wecom.tests.peers import Peer

PAGE = "/m/approvals"


@pytest.fixture
def unlinked(li: Member) -> Member:
    li.user = None
    li.save()
    return li


@pytest.fixture
def phone() -> LogInBrowser:
    return LogInBrowser(WXWORK)


def is_let_in(phone: LogInBrowser) -> bool:
    return phone.get(PAGE).status_code == 200


def test_inside_wecom_a_member_is_on_the_page_without_a_question(phone: LogInBrowser, unlinked: Member, wecom: Peer):
    address = f"{PAGE}/7"
    log_in = phone.get(phone.get(address).headers["Location"])
    begun = phone.begin(next=address)
    assert log_in.headers["Location"] == "/wecom/login?next=%2Fm%2Fapprovals%2F7"
    assert phone.come_back(begun["state"]).headers["Location"] == address
    assert phone.session[SESSION_KEY] == unlinked.pk
    assert is_let_in(phone)


def test_nobody_is_logged_in_by_it(phone: LogInBrowser, unlinked: Member, wecom: Peer):
    phone.log_in(next=PAGE)
    assert is_let_in(phone)
    assert phone.user_id is None
    assert phone.get("/admin/").status_code == 302
    assert phone.get("/api/quotes").status_code == 401


@pytest.mark.parametrize("address", ["/admin/", "/mobile", "/project/1", ""])
def test_other_pages_want_a_staff_user(phone: LogInBrowser, unlinked: Member, wecom: Peer, address: str):
    answer = phone.log_in(next=address) if address else phone.log_in()
    assert answer.status_code == 403
    assert SESSION_KEY not in phone.session


def test_a_linked_member_is_logged_in_as_ever(phone: LogInBrowser, li: Member, wecom: Peer):
    phone.log_in(next=PAGE)
    assert phone.user_id == str(li.user_id)
    assert SESSION_KEY not in phone.session
    assert is_let_in(phone)
    assert phone.get("/admin/").status_code == 200


def test_a_user_who_is_not_staff_stays_out_of_the_admin(phone: LogInBrowser, li: Member, wecom: Peer):
    User.objects.update(is_staff=False)
    assert phone.log_in(next=PAGE).status_code == 302
    assert is_let_in(phone)
    assert phone.user_id is None


def test_whose_user_was_closed_is_refused_here_as_well(phone: LogInBrowser, li: Member, wecom: Peer):
    User.objects.update(is_active=False)
    answer = phone.log_in(next=PAGE)
    assert answer.status_code == 403
    assert answer.context["refused"].outcome == "no_staff_user"
    assert not is_let_in(phone)


@pytest.mark.parametrize("change", [{"deleted_at": "2026-01-01T00:00:00Z"}, {"status": 5}, {"status": 2}], ids=str)
def test_whoever_leaves_is_out_with_the_next_request(
    phone: LogInBrowser, unlinked: Member, wecom: Peer, change: dict[str, Any]
):
    phone.log_in(next=PAGE)
    assert is_let_in(phone)
    Member.objects.update(**change)
    assert not is_let_in(phone)


def test_a_member_who_was_deleted_is_out(phone: LogInBrowser, unlinked: Member, wecom: Peer):
    phone.log_in(next=PAGE)
    Member.objects.all().delete()
    assert not is_let_in(phone)


def test_a_member_of_another_company_than_the_apps_is_out(phone: LogInBrowser, unlinked: Member, wecom: Peer):
    phone.log_in(next=PAGE)
    WeComConfig.objects.update(is_default=False)
    other = WeComConfig.objects.create(
        slug="second", name="2", corp_id="wwother", agent_id=2, secret="other", is_default=True
    )
    Member.objects.create(config=other, userid="li.mei", name="Somebody else", status=1)
    assert not is_let_in(phone)


def test_a_user_who_is_linked_and_closed_meanwhile_counts(phone: LogInBrowser, unlinked: Member, wecom: Peer):
    phone.log_in(next=PAGE)
    Member.objects.update(user=User.objects.get())
    assert is_let_in(phone)
    User.objects.update(is_active=False)
    assert not is_let_in(phone)


def test_the_session_is_a_new_one_and_nobody_elses(phone: LogInBrowser, unlinked: Member, wecom: Peer):
    phone.force_login(User.objects.create_user("guest"), backend="django.contrib.auth.backends.ModelBackend")
    session = phone.session
    session["cart"] = 1
    session.save()
    before = session.session_key
    phone.log_in(next=PAGE)
    assert phone.session.session_key != before
    assert "cart" not in phone.session
    assert phone.user_id is None


def test_a_session_that_somebody_logged_in_to_is_theirs(phone: LogInBrowser, unlinked: Member, wecom: Peer):
    """Also when that user may not be here any more: then it is nobody's."""
    phone.log_in(next=PAGE)
    guest = User.objects.create_user("guest")
    phone.force_login(guest, backend="django.contrib.auth.backends.ModelBackend")
    assert phone.session[SESSION_KEY] == unlinked.pk
    User.objects.filter(pk=guest.pk).update(is_active=False)
    assert not is_let_in(phone)


def test_a_reload_of_the_way_back_leads_to_the_members_pages(phone: LogInBrowser, unlinked: Member, wecom: Peer):
    state = phone.begin(next=PAGE)["state"]
    phone.come_back(state)
    again = phone.come_back(state)
    assert (again.status_code, again.headers["Location"]) == (302, "/m/")
    assert phone.get("/m/").headers["Location"] == PAGE
