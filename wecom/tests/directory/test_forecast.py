"""What a run will take, told before it starts: by what is here, by the pace of the last run, or by asking once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone, translation

from wecom.budgets import Budget
from wecom.directory_sync.forecast import forecast, forecasts
from wecom.models import Department, DirectorySyncRun, DirectoryType, WeComConfig
from wecom.tests.directory.company import Company
from wecom.tests.directory.conftest import synchronise
from wecom.tests.peers import Close, Peer, refused_url
from wecom.tokens import app_key

pytestmark = pytest.mark.django_db(transaction=True)
FOLLOWING = "externalcontact/get_follow_user_list"


@pytest.fixture
def company(company: Company) -> Company:
    for number in range(2, 41):
        company.department(number)
    company.have(3)
    return company


def ended(config: WeComConfig, *, seconds: float, calls: int, **more: Any) -> None:
    now = timezone.now()
    values = {"sync_type": "user", "status": "success", "created_at": now, **more}
    DirectorySyncRun.objects.create(
        config=config, started_at=now - timedelta(seconds=seconds), finished_at=now, calls_done=calls, **values
    )


def test_before_the_first_run_wecom_is_asked_once_how_large_the_company_is(
    company: Company, saved_app: WeComConfig, peer: Peer
) -> None:
    expected = forecast(saved_app, "user")
    assert expected.calls == 41 and expected.least > timedelta(0)
    assert len(peer.calls("department/simplelist")) == 1 and not peer.calls("user/list")
    run = synchronise(saved_app, "user")
    assert run.calls_done == expected.calls
    asked = len(peer.received)
    assert forecast(saved_app, "user").calls == 41
    assert len(peer.received) == asked  # by now it is known here


def test_a_first_run_over_everything_asks_for_each_type(company: Company, saved_app: WeComConfig, peer: Peer) -> None:
    peer.answer(FOLLOWING, {"follow_user": [f"u{number}" for number in range(250)]})
    assert forecast(saved_app, "full").calls == 1 + 41 + 2 + 3


def test_all_types_together_are_asked_for_once(company: Company, saved_app: WeComConfig, peer: Peer) -> None:
    peer.answer(FOLLOWING, {"follow_user": ["u1"]})
    found = forecasts(saved_app, DirectoryType.values)
    assert [one.calls for one in found] == [1, 41, 3, 45]
    assert found[3].least >= found[1].least
    assert len(peer.calls("department/simplelist")) == len(peer.calls(FOLLOWING)) == 1


@pytest.mark.parametrize("trouble", [{"errcode": 60011}, {"errcode": 45009}, Close()])
def test_whoever_cannot_be_asked_is_forecast_by_what_is_known(
    company: Company, saved_app: WeComConfig, peer: Peer, trouble: Any
) -> None:
    peer.answer("department/simplelist", trouble)
    peer.answer(FOLLOWING, {"follow_user": []})
    assert forecast(saved_app, "full").calls == 1 + 1 + 2


def test_the_pace_is_that_of_the_last_run_that_was_applied(saved_app: WeComConfig) -> None:
    Department.objects.bulk_create(Department(config=saved_app, remote_id=number) for number in range(1, 100))
    quickest = forecast(saved_app, "user").least
    assert timedelta(seconds=0.3) < quickest < timedelta(seconds=1)  # 100 calls at WeCom's limit of 10,000 a minute
    earlier = timezone.now() - timedelta(hours=2)
    ended(saved_app, seconds=1, calls=100, created_at=earlier)
    ended(
        saved_app, seconds=50, calls=100, created_at=earlier + timedelta(minutes=1), sync_type="full", status="partial"
    )
    ended(saved_app, seconds=900, calls=3, status="failed")
    ended(saved_app, seconds=900, calls=3, sync_type="customer")
    assert forecast(saved_app, "user").least == pytest.approx(timedelta(seconds=50), abs=timedelta(seconds=1))


def test_no_run_is_forecast_to_be_faster_than_the_limit(saved_app: WeComConfig) -> None:
    Department.objects.bulk_create(Department(config=saved_app, remote_id=number) for number in range(1, 2001))
    ended(saved_app, seconds=0.1, calls=100)
    assert timedelta(seconds=11) < forecast(saved_app, "user").least < timedelta(seconds=13)


def test_a_pause_counts(saved_app: WeComConfig, settings: Any) -> None:
    Department.objects.create(config=saved_app, remote_id=1)
    Budget(app_key(saved_app)).pause("user/list", 600)
    assert forecast(saved_app, "user").least > timedelta(minutes=9)
    assert forecast(saved_app, "department").least < timedelta(minutes=1)
    settings.REDIS_URL = refused_url().replace("http", "redis")
    assert forecast(saved_app, "user").least < timedelta(minutes=1)  # nobody knows of any


@pytest.mark.parametrize("options", [{}, {"dry_run": True}])
def test_the_command_says_it_before_it_starts(
    company: Company, saved_app: WeComConfig, capsys: pytest.CaptureFixture[str], options: dict[str, Any]
) -> None:
    with translation.override("en"):
        call_command("sync_directory", "--type", "user", **options)
    assert capsys.readouterr().out.startswith("About 41 calls to WeCom, at least ")
