"""The doctor's questions about several apps, and about the runs of the directory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from wecom import doctor_directory, doctor_rights
from wecom.models import CapabilityResult, DirectorySyncRun, WeComConfig
from wecom.tests.peers import Peer, Received
from wecom.tests.probing import grant_everything, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(peer: Peer) -> WeComConfig:
    grant_everything(peer)
    return WeComConfig.objects.create(
        slug="default", name="First", corp_id="ww1", agent_id=1, secret="first", is_default=True
    )


@pytest.fixture
def other(app: WeComConfig) -> WeComConfig:
    return WeComConfig.objects.create(slug="other", name="Second", corp_id="ww1", agent_id=2, secret="second")


@pytest.fixture
def refuse_second(peer: Peer, other: WeComConfig) -> None:
    """Customers are for the first app only."""

    def token(request: Received) -> dict[str, Any]:
        return {"errcode": 0, "access_token": f"token of {request.query['corpsecret']}", "expires_in": 7200}

    def followers(request: Received) -> dict[str, Any]:
        mine = request.query["access_token"] == "token of first"
        return {"errcode": 0, "follow_user": ["li.mei"]} if mine else refusal(84074)

    peer.answer("gettoken", token)
    peer.answer("externalcontact/get_follow_user_list", followers)


class TestRights:
    """The default app needs them all, another one what it was seen to have."""

    def test_what_another_app_was_never_granted_is_no_trouble(self, refuse_second: None):
        assert doctor_rights.rights().ok

    def test_what_it_had_and_lost_is_trouble(self, refuse_second: None, other: WeComConfig):
        CapabilityResult.objects.create(config=other, capability="customers", ok=True, checked_at=timezone.now())
        result = doctor_rights.rights()
        assert not result.ok
        assert "Second" in str(result.sentence) and "First" not in str(result.sentence)
        assert "客户联系" in str(result.remedy)

    def test_the_default_app_needs_all(self, app: WeComConfig, peer: Peer):
        peer.answer("externalcontact/get_follow_user_list", refusal(84074))
        assert not doctor_rights.rights().ok

    def test_a_disabled_app_is_not_asked(self, refuse_second: None, other: WeComConfig, peer: Peer):
        WeComConfig.objects.filter(pk=other.pk).update(enabled=False)
        doctor_rights.rights()
        assert {call.query["corpsecret"] for call in peer.calls("gettoken")} == {"first"}


class TestDirectory:
    @pytest.fixture(autouse=True)
    def daily(self) -> PeriodicTask:
        day, _created = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.DAYS)
        return PeriodicTask.objects.update_or_create(
            name=doctor_directory.SCHEDULE,
            defaults={"task": "wecom.sync_directory", "interval": day, "crontab": None, "enabled": True},
        )[0]

    def run(self, app: WeComConfig, sync_type: str, status: str, days_ago: float = 0.0, **more: Any) -> None:
        at = timezone.now() - timedelta(days=days_ago)
        DirectorySyncRun.objects.create(
            config=app, sync_type=sync_type, status=status, created_at=at, finished_at=at, **more
        )

    def test_a_new_app_waits_for_its_first_run(self, app: WeComConfig):
        assert doctor_directory.directory().ok

    def test_one_that_is_never_read(self, app: WeComConfig):
        WeComConfig.objects.update(created_at=timezone.now() - timedelta(days=3))
        result = doctor_directory.directory()
        assert not result.ok and "sync_directory" in str(result.remedy)

    @pytest.mark.parametrize(("days_ago", "ok"), [(0.5, True), (1.9, True), (2.1, False)])
    @pytest.mark.parametrize("status", ["success", "partial"])
    def test_two_runs_may_be_missed(self, app: WeComConfig, status: str, days_ago: float, ok: bool):
        self.run(app, "full", status, days_ago)
        assert doctor_directory.directory().ok is ok

    def test_a_part_that_stays_behind(self, app: WeComConfig):
        self.run(app, "full", "success", 3)
        self.run(app, "user", "success")
        assert not doctor_directory.directory().ok

    def test_the_last_run_failed(self, app: WeComConfig):
        self.run(app, "full", "success", 0.5)
        self.run(app, "customer", "failed", message="WeCom refused it.")
        result = doctor_directory.directory()
        assert not result.ok and "WeCom refused it." in str(result.sentence)
        self.run(app, "full", "success")
        assert doctor_directory.directory().ok

    def test_the_schedule_is_off(self, app: WeComConfig, daily: PeriodicTask):
        daily.enabled = False
        daily.save()
        result = doctor_directory.directory()
        assert not result.ok and doctor_directory.SCHEDULE in str(result.remedy)

    def test_an_app_that_the_schedule_does_not_read_with_is_never_late(self, app: WeComConfig, other: WeComConfig):
        WeComConfig.objects.filter(pk=other.pk).update(created_at=timezone.now() - timedelta(days=30))
        assert doctor_directory.directory().ok
        self.run(other, "full", "success", 20)
        assert doctor_directory.directory().ok
        self.run(other, "full", "failed", message="Second refused.")
        assert not doctor_directory.directory().ok

    def test_one_of_another_company_is_as_late_as_the_default_app(self, app: WeComConfig, other: WeComConfig):
        WeComConfig.objects.filter(pk=other.pk).update(corp_id="ww2", created_at=timezone.now() - timedelta(days=30))
        result = doctor_directory.directory()
        assert not result.ok and "Second" in str(result.sentence)
