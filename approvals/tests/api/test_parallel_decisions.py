"""Two people press the button at the same time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from approvals.models import ApprovalInstance, Quote
from approvals.tests.api.conftest import NEW_QUOTE, client_of
from config.testing.parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_of_two_decisions_stands_and_the_other_learns_it(
    submitted: Callable[..., ApprovalInstance], wang: User
) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="S1")
    first, second = client_of(wang), client_of(wang)
    path = f"/api/approvals/{instance.pk}"
    answers = at_once(lambda: first.post(f"{path}/approve"), lambda: second.post(f"{path}/approve"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert (refused.json()["code"], refused.json()["status"]) == ("wrong_state", "approved")
    assert instance.timeline.filter(action="approve").count() == 1


def test_approving_against_rejecting_has_one_winner(submitted: Callable[..., ApprovalInstance], wang: User) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="S1")
    first, second = client_of(wang), client_of(wang)
    path = f"/api/approvals/{instance.pk}"
    approved, rejected = at_once(
        lambda: first.post(f"{path}/approve"), lambda: second.post(f"{path}/reject", {"reason": "no"})
    )
    assert sorted([approved.status_code, rejected.status_code]) == [200, 409]
    winner = "approved" if approved.status_code == 200 else "rejected"
    instance.refresh_from_db()
    assert (instance.status, instance.quote.approval_status) == (winner, winner)


def test_one_of_two_submissions_is_made(quote: Quote, li: User) -> None:
    clients = [client_of(li) for _ in range(4)]
    answers = at_once(*(lambda client=client: client.post(f"/api/quotes/{quote.pk}/submit") for client in clients))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert ApprovalInstance.objects.count() == 1


def test_parallel_creations_get_consecutive_numbers(li: User) -> None:
    clients = [client_of(li) for _ in range(4)]
    answers = at_once(*(lambda client=client: client.post("/api/quotes", NEW_QUOTE) for client in clients))
    assert [answer.status_code for answer in answers] == [201] * 4
    serials = sorted(int(answer.json()["quote_number"].rsplit("-", 1)[1]) for answer in answers)
    assert serials == [1, 2, 3, 4]


def test_a_draft_is_either_changed_before_it_is_sealed_or_not_at_all(quote: Quote, li: User) -> None:
    first, second = client_of(li), client_of(li)
    path = f"/api/quotes/{quote.pk}"
    changed, sealed = at_once(lambda: first.patch(path, {"title": "other"}), lambda: second.post(f"{path}/submit"))
    assert sealed.status_code == 202
    assert changed.status_code in (200, 409)
    snapshot = ApprovalInstance.objects.get().snapshot
    quote.refresh_from_db()
    assert snapshot["title"] == quote.title
    assert (quote.title == "other") == (changed.status_code == 200)
