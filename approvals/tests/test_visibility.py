"""Who sees which quotes and approvals."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from approvals import engine, quotes
from approvals.actors import actor_for
from approvals.models import ApprovalInstance, ApprovalTimeline, Channel, Quote
from approvals.tests.conftest import CONTENT, SALES, grant
from approvals.visibility import SEES_ALL, visible_to
from wecom.models import Member

Submitted = Callable[..., ApprovalInstance]
Person = Callable[..., User]


def sees(user: User) -> tuple[int, int]:
    """How many quotes and approvals."""
    user = User.objects.get(pk=user.pk)  # permissions are cached on the object
    return visible_to(user, Quote.objects.all()).count(), visible_to(user, ApprovalInstance.objects.all()).count()


def test_salespeople_see_their_own(submitted: Submitted, li: User, person: Person) -> None:
    submitted()
    assert sees(li) == (1, 1)
    assert sees(person("sun", "sun.li", *SALES)) == (0, 0)


def test_the_pages_own_permissions_do_not_open_other_peoples_rows(submitted: Submitted, person: Person) -> None:
    submitted()
    assert sees(person("sun", "", "view_quote", "view_approvalinstance", "change_quote")) == (0, 0)


@pytest.mark.parametrize("permission", SEES_ALL)
def test_whoever_oversees_or_acts_for_all_sees_all(submitted: Submitted, person: Person, permission: str) -> None:
    submitted()
    assert sees(person("max", "", permission.removeprefix("approvals."))) == (1, 1)


def test_approvers_see_what_they_decide_on_and_nothing_else(submitted: Submitted, wang: User, zhao: User) -> None:
    submitted(approvers=["WANG.Boss"])  # userids compare folded
    assert sees(wang) == (1, 1)
    assert sees(zhao) == (0, 0)


def test_an_unlinked_user_is_no_approver(submitted: Submitted, wang: User) -> None:
    submitted(approvers=["wang.boss"])
    Member.objects.filter(user=wang).delete()
    assert sees(wang) == (0, 0)


def test_the_delegate_sees_too(submitted: Submitted, wang: User, zhao: User) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="S1")
    engine.delegate(instance=instance, actor=actor_for(wang, Channel.INTERNAL), delegate_to="zhao.vp")
    assert sees(zhao) == (1, 1)
    assert sees(wang) == (1, 1)


def test_a_submission_of_somebody_elses_quote_stays_visible_to_the_submitter(quote: Quote, person: Person) -> None:
    boss = person("boss", "the.boss", "submit_quote", "manage_all_quotes")
    engine.submit(quote=quote, actor=actor_for(boss, Channel.INTERNAL))
    boss.user_permissions.clear()
    grant(boss, "submit_quote")
    assert sees(boss) == (1, 1)


def test_a_person_in_several_parts_sees_a_row_once(li: User, submitted: Submitted) -> None:
    quotes.create_quote(data=CONTENT, actor=actor_for(li, Channel.INTERNAL))
    submitted(approvers=["li.mei", "wang.boss"])
    assert sees(li) == (2, 1)


def test_other_models_have_no_rule(li: User) -> None:
    with pytest.raises(TypeError):
        visible_to(li, ApprovalTimeline.objects.all())
