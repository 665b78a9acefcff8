"""Refused requests are kept within bounds, whoever sends them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from wecom import refusals
from wecom.callback import ParameterMissing
from wecom.models import RefusedCallback
from wecom.refusals import Allowance


@pytest.fixture(autouse=True)
def _own_allowance() -> Iterator[None]:
    usual, refusals.allowance = refusals.allowance, Allowance(refusals.BURST, refusals.PER_MINUTE)
    yield
    refusals.allowance = usual


def test_an_allowance_is_spent_and_fills_up_again() -> None:
    allowance, start = Allowance(burst=3, per_minute=60), time.monotonic() + 10
    assert [allowance.take(start) for _ in range(4)] == [True, True, True, False]
    assert not allowance.take(start + 0.9)
    assert allowance.take(start + 1.5)
    assert not allowance.take(start + 1.6)


def test_an_allowance_never_exceeds_its_burst() -> None:
    allowance, later = Allowance(burst=3, per_minute=60), time.monotonic() + 3600
    assert [allowance.take(later) for _ in range(4)] == [True, True, True, False]


def test_an_allowance_is_kept_by_parallel_threads() -> None:
    allowance, now = Allowance(burst=50, per_minute=1), time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: allowance.take(now), range(400))) == 50


@pytest.mark.django_db
def test_trimming_keeps_the_newest() -> None:
    RefusedCallback.objects.bulk_create(
        RefusedCallback(method="GET", code=400, reason=str(number)) for number in range(refusals.KEPT + 7)
    )
    assert refusals.trim() == 7
    assert refusals.trim() == 0
    assert RefusedCallback.objects.count() == refusals.KEPT
    assert not RefusedCallback.objects.filter(reason__in=["0", "6"]).exists()
    assert RefusedCallback.objects.filter(reason="7").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("remote_address", "kept"),
    [("203.0.113.7", "203.0.113.7"), ("2001:db8::1", "2001:db8::1"), ("", None), ("unix:", None)],
)
def test_only_the_servers_own_word_about_the_caller_counts(remote_address: str, kept: str | None) -> None:
    request = RequestFactory().get(
        "/wecom/callback",
        REMOTE_ADDR=remote_address,
        HTTP_X_FORWARDED_FOR="198.51.100.1",
        HTTP_X_REAL_IP="198.51.100.2",
    )
    refusals.note(request, "", ParameterMissing())
    assert RefusedCallback.objects.get().remote_address == kept


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("forwarded", "kept"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the first is the caller's claim
        ("198.51.100.1,2001:db8::1", "2001:db8::1"),
        ("203.0.113.7, nonsense", None),
        (None, "172.18.0.2"),
    ],
)
def test_behind_a_proxy_its_word_counts(settings: Settings, forwarded: str | None, kept: str | None) -> None:
    settings.BEHIND_PROXY = True
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    request = RequestFactory().get("/wecom/callback", REMOTE_ADDR="172.18.0.2", headers=headers)
    refusals.note(request, "", ParameterMissing())
    assert RefusedCallback.objects.get().remote_address == kept


@pytest.mark.django_db
def test_whatever_was_sent_fits_its_columns() -> None:
    request = RequestFactory().generic("POST", "/wecom/callback?" + "q" * 2000)
    refusals.note(request, "s" * 90, ParameterMissing("r" * 900), b"\0\xff" * 900)
    row = RefusedCallback.objects.get()
    row.full_clean(exclude=["slug"])
    assert (len(row.slug), len(row.query), len(row.reason)) == (50, 500, 300)
    assert "\0" not in row.body_start
