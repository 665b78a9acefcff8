"""Every family of WeCom's errors met by a run of the directory: a real stand-in, a real worker, the real command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from config.testing.processes import Stack, wait_until
from notifications.models import Incident
from wecom.budgets import pause_key
from wecom.directory_sync import runs
from wecom.models import Department, DirectorySyncRun, Member, WeComConfig
from wecom.redis import redis
from wecom.tests.inbound import make_config
from wecom.tests.phone import Phone
from wecom.tests.vectors import AES_KEY, CORP_ID, TOKEN
from wecom.tokens import app_key

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
LONGEST = 90.0
LISTS = {"department": "department/list", "user": "user/list", "customer": "externalcontact/get_corp_tag_list"}
"""What each type of run lives by."""


@dataclass
class Place:
    stack: Stack
    phone: Phone
    app: WeComConfig

    def start(self, sync_type: str) -> DirectorySyncRun:
        """A scheduled run, for a worker."""
        return runs.open_run(self.app, sync_type, automatic=True)

    def fault(self, kind: str, sync_type: str, **parameters: object) -> None:
        self.phone.fault(kind, endpoint=LISTS[sync_type], **parameters)


@pytest.fixture
def place(stack: Stack, transactional_db: None, settings: Settings) -> Place:
    app = make_config()
    stack.environment |= {
        "WECOM_CORP_ID": CORP_ID,
        "WECOM_AGENT_ID": str(app.agent_id),
        "WECOM_SECRET": app.secret.reveal(),
        "WECOM_CALLBACK_TOKEN": TOKEN,
        "WECOM_ENCODING_AES_KEY": AES_KEY,
        "LANGUAGE_CODE": "en",
    }
    standin = stack.standin(callback_url="")
    settings.WECOM_API_BASE_URL = standin.url
    return Place(stack, Phone(standin.url), app)


@pytest.fixture
def worker(place: Place) -> None:
    place.stack.worker()


def settled(opened: list[DirectorySyncRun], condition: Callable[[DirectorySyncRun], bool]) -> list[DirectorySyncRun]:
    """Wake a worker, and wait until all of ``opened`` are as wanted."""
    runs.sweep()

    def all_are() -> list[DirectorySyncRun]:
        found = list(DirectorySyncRun.objects.filter(pk__in=[run.pk for run in opened]).order_by("pk"))
        return found if all(map(condition, found)) else []

    try:
        return wait_until(all_are, LONGEST, interval=0.1)
    except AssertionError:
        rows = DirectorySyncRun.objects.values_list("sync_type", "status", "retries", "message")
        raise AssertionError(list(rows)) from None


def succeeded(run: DirectorySyncRun) -> bool:
    return run.status == "success"


def put_off(run: DirectorySyncRun) -> bool:
    return run.status == "pending" and bool(run.message)


def open_incidents() -> dict[str, str]:
    return dict(Incident.objects.filter(resolved_at=None).values_list("key", "detail"))


def test_what_passes_is_repeated_within_the_run_and_nobody_notices(place: Place, worker: None) -> None:
    place.fault("errcode", "department", errcode=-1, count=2)
    place.fault("http_status", "user", count=1)
    place.fault("close_before", "user", count=1)
    place.fault("close_after", "customer", count=1)
    place.fault("slow", "customer", seconds=9.0, count=1)  # longer than anybody waits for an answer
    for run in settled([place.start(kind) for kind in LISTS], succeeded):
        assert run.retries == 0
    assert Department.objects.exists() and Member.objects.exists()
    assert open_incidents() == {}


@pytest.mark.parametrize("state", ["invalid", "expired"])
def test_a_token_that_has_ended_is_replaced(place: Place, state: str) -> None:
    assert place.stack.manage("sync_directory", "--type", "department").popen.wait(LONGEST) == 0
    place.phone.end_tokens(state)
    second = place.stack.manage("sync_directory", "--type", "department")
    assert second.popen.wait(LONGEST) == 0, second.output
    errcode = {"invalid": 40014, "expired": 42001}[state]
    assert place.phone.calls("department/list", errcode) == 1
    assert place.phone.calls("gettoken") == 2
    assert [run.status for run in DirectorySyncRun.objects.all()] == ["success"] * 2


def test_what_lasts_is_tried_again_later_until_it_is_an_incident(place: Place, worker: None) -> None:
    place.fault("errcode", "department", errcode=-1)
    place.fault("errcode", "user", errcode=40014)
    place.fault("close_before", "customer")
    opened = [place.start(kind) for kind in LISTS]
    for run in settled(opened, put_off):
        assert run.retries == 1
        assert run.not_before > timezone.now() + timedelta(minutes=4)
    assert open_incidents() == {}  # it may pass by itself
    assert not Department.objects.exists() and not Member.objects.exists()

    # five minutes later, and the third time that it failed for the department
    DirectorySyncRun.objects.update(not_before=timezone.now())
    DirectorySyncRun.objects.filter(sync_type="department").update(retries=runs.MOST_RETRIES)
    place.phone.heal()
    place.fault("http_status", "department")
    settled(opened[1:], succeeded)
    settled(opened[:1], lambda run: run.status == "failed")
    assert set(open_incidents()) == {"directory-failed:default:department"}
    assert "HTTP status 502" in open_incidents()["directory-failed:default:department"]

    place.phone.heal()
    settled([place.start("department")], succeeded)
    assert open_incidents() == {}


def test_what_wecom_refuses_for_good_is_not_tried_again(place: Place, worker: None) -> None:
    refusals = {"department": 48002, "user": 60011, "customer": 84074}
    for kind, errcode in refusals.items():
        place.fault("errcode", kind, errcode=errcode)
    for run in settled([place.start(kind) for kind in LISTS], lambda run: run.status == "failed"):
        assert run.retries == 0
        assert f"errcode {refusals[run.sync_type]}" in run.error_detail
        assert place.phone.calls(LISTS[run.sync_type]) == 1
    incidents = open_incidents()
    assert set(incidents) == {f"directory-failed:default:{kind}" for kind in LISTS}
    assert "Give the app this permission" in incidents["directory-failed:default:department"]
    assert "可见范围" in incidents["directory-failed:default:user"]
    assert "客户联系 → 可调用接口的应用" in incidents["directory-failed:default:customer"]


def test_a_wrong_secret_is_said_by_the_command(place: Place) -> None:
    place.phone.fault("wrong_secret")
    command = place.stack.manage("sync_directory", NO_COLOR="1")
    assert command.popen.wait(LONGEST) == 1
    assert "Enter corp ID and secret again" in command.output
    assert place.phone.calls("gettoken") == 1
    assert set(open_incidents()) == {"directory-failed:default:full"}


def test_a_limit_puts_the_run_back_and_gives_its_worker_free(place: Place, worker: None) -> None:
    place.fault("errcode", "department", errcode=45009)
    opened = [place.start("department")]
    runs.sweep()
    paused = pause_key(app_key(place.app), "department/list")

    def put_back() -> bool:
        redis().delete(paused)  # the minute of this pause is over, and WeCom still refuses
        return put_off(DirectorySyncRun.objects.get())

    wait_until(put_back, LONGEST, "put back", interval=0.2)
    run = DirectorySyncRun.objects.get()
    assert run.retries == 0 and run.not_before > timezone.now() + timedelta(minutes=2)
    assert open_incidents() == {}

    place.phone.heal()
    redis().delete(paused)
    DirectorySyncRun.objects.update(not_before=timezone.now())
    settled(opened, succeeded)
