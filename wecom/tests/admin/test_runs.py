"""Starting, previewing and watching runs of the directory; and the quota."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from config.testing.admin_browser import logged_in
from config.testing.people import staff
from wecom.breaker import Breaker
from wecom.budgets import Budget
from wecom.client import for_config
from wecom.directory_sync import previews, runs
from wecom.errors import PermanentError, error_for
from wecom.metrics import ENDPOINTS
from wecom.models import Department, DirectorySyncRun, Member, WeComConfig
from wecom.redis import redis
from wecom.tests.directory.company import Company
from wecom.tests.peers import Peer, refused_url
from wecom.tokens import TokenStore, app_key

pytestmark = pytest.mark.django_db

SYNC = "wecom.sync_directory"
LIST = "/admin/wecom/directorysyncrun/"
SYNCHRONISE, EXPECTED, QUOTA = (
    reverse(f"admin:wecom_directorysyncrun_{page}") for page in ("synchronise", "expected", "quota")
)


@pytest.fixture
def company(peer: Peer) -> Company:
    found = Company()
    found.have(12)
    found.serve(peer)
    return found


def asked(config: WeComConfig, **more: Any) -> dict[str, Any]:
    return {"config": config.pk, "sync_type": "user", **more}


# -- synchronise -----------------------------------------------------------------------------------------------------


def test_whoever_may_start_a_run_starts_and_watches_it(config: WeComConfig, company: Company):
    client = logged_in(staff(SYNC))
    assert SYNCHRONISE in client.page(LIST)
    client.get(SYNCHRONISE)
    assert not DirectorySyncRun.objects.exists()
    answer = client.post(SYNCHRONISE, asked(config, force="on"))
    run = DirectorySyncRun.objects.get()
    assert (run.sync_type, run.force, run.status, str(run.started_by)) == ("user", True, "pending", "nora")
    assert answer.headers["Location"] == reverse("admin:wecom_directorysyncrun_change", args=[run.pk])
    assert 'data-open="true"' in client.page(answer.headers["Location"])
    assert runs.run_due() == 1
    page = client.page(answer.headers["Location"])
    assert 'data-open="false"' in page
    run.refresh_from_db()
    assert run.created == 12
    assert run.message in page


def test_enabled_apps_are_offered_and_the_default_one_is_chosen(config: WeComConfig):
    another = {"corp_id": "wwother", "secret": "s"}
    WeComConfig.objects.create(slug="before", agent_id=1, name="A before", **another)
    WeComConfig.objects.create(slug="off", agent_id=2, name="Off", enabled=False, **another)
    page = logged_in(staff(SYNC)).page(SYNCHRONISE)
    assert f'<option value="{config.pk}" selected>Quotebridge' in page
    assert "A before</option>" in page and "Off</option>" not in page


def test_a_second_press_leads_to_the_run_that_is_at_it(config: WeComConfig):
    busy = runs.open_run(config, "full")
    answer = logged_in(staff(SYNC)).post(SYNCHRONISE, asked(config), follow=True)
    assert answer.redirect_chain[-1][0].endswith(f"/{busy.pk}/change/")
    assert DirectorySyncRun.objects.count() == 1


def test_looking_at_runs_is_not_starting_them(config: WeComConfig):
    client = logged_in(staff("wecom.view_directorysyncrun"))
    assert SYNCHRONISE not in client.page(LIST)
    assert client.get(SYNCHRONISE).status_code == 403
    assert client.post(SYNCHRONISE, asked(config)).status_code == 403
    assert not DirectorySyncRun.objects.exists()


def test_what_a_run_of_the_chosen_app_will_take_is_told_before_it_starts(config: WeComConfig, peer: Peer):
    other = WeComConfig.objects.create(slug="other", corp_id="wwother", agent_id=1, secret="s", name="Other")
    Department.objects.bulk_create(Department(config=config, remote_id=n) for n in range(1, 2001))
    Department.objects.create(config=other, remote_id=1)
    client = logged_in(staff(SYNC))
    assert EXPECTED in client.page(SYNCHRONISE)
    assert peer.received == []  # the page itself waits for nobody
    page = client.page(EXPECTED, config=str(config.pk))
    assert "Quotebridge" in page and "about 2001 calls" in page
    page = client.page(EXPECTED, config=str(other.pk))
    assert "Other" in page and "about 2 calls" in page
    assert client.get(EXPECTED, {"config": "0"}).status_code == 404
    assert logged_in(staff("wecom.view_directorysyncrun", name="rita")).get(EXPECTED).status_code == 403
    assert not DirectorySyncRun.objects.exists()


def test_a_form_that_makes_no_sense_starts_nothing(config: WeComConfig):
    client = logged_in(staff(SYNC))
    for wrong in ({"sync_type": "nonsense"}, {"config": 0}):
        assert client.post(SYNCHRONISE, {**asked(config), **wrong}).status_code == 200
    WeComConfig.objects.update(enabled=False)
    assert client.post(SYNCHRONISE, asked(config)).status_code == 200
    assert not DirectorySyncRun.objects.exists()


# -- progress --------------------------------------------------------------------------------------------------------


def progress(run: DirectorySyncRun, language: str = "en") -> dict[str, Any]:
    user = User.objects.filter(username="nora").first() or staff(SYNC)
    url = reverse("admin:wecom_directorysyncrun_progress", args=[run.pk])
    return dict(logged_in(user, language).get(url).json())


def test_the_bar_knows_how_far_it_is_and_how_long_it_takes(config: WeComConfig):
    now = timezone.now()
    run = DirectorySyncRun.objects.create(
        config=config, sync_type="full", status="running", started_at=now - timedelta(seconds=20), phase="user",
        calls_done=10, calls_expected=40, fetched=500,
    )  # fmt: skip
    told = progress(run)
    assert (told["open"], told["tone"], told["percent"]) == (True, "info", 25)
    assert told["extent"].startswith("10 calls made · Members · about 1 min ")
    assert told["counts"][0] == {"name": "fetched", "value": 500}


@pytest.mark.parametrize(
    ("status", "tone", "percent"),
    [("success", "success", 100), ("partial", "warning", None), ("failed", "danger", None)],
)
def test_the_bar_of_a_run_that_ended(config: WeComConfig, status: str, tone: str, percent: int | None):
    run = DirectorySyncRun.objects.create(config=config, sync_type="user", status=status, message="So.")
    told = progress(run)
    assert (told["open"], told["tone"], told["percent"], told["message"]) == (False, tone, percent, "So.")


def test_a_run_that_no_worker_takes_says_so_but_one_that_waits_on_purpose_does_not(config: WeComConfig):
    run = runs.open_run(config, "user")
    old = timezone.now() - timedelta(minutes=1)
    DirectorySyncRun.objects.filter(pk=run.pk).update(created_at=old, not_before=old)
    assert "No worker was heard of" in progress(run)["message"]
    DirectorySyncRun.objects.filter(pk=run.pk).update(not_before=timezone.now() + timedelta(hours=1))
    assert progress(run)["message"] == ""


def test_progress_is_closed_to_others(config: WeComConfig):
    run = runs.open_run(config, "user")
    url = reverse("admin:wecom_directorysyncrun_progress", args=[run.pk])
    assert logged_in(staff("wecom.view_member")).get(url).status_code == 403


# -- waiting ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def waits(config: WeComConfig) -> DirectorySyncRun:
    return DirectorySyncRun.objects.create(
        config=config,
        sync_type="user",
        automatic=True,
        not_before=timezone.now() + timedelta(hours=1),
        message="WeCom's limit of calls was hit.",
    )


def verb(run: DirectorySyncRun, name: str) -> str:
    return reverse(f"admin:wecom_directorysyncrun_{name}_page", args=[run.pk])


@pytest.mark.parametrize("name", ["run_now", "give_up"])
def test_what_waits_can_be_run_now_or_given_up(waits: DirectorySyncRun, company: Company, name: str):
    client = logged_in(staff(SYNC))
    page = reverse("admin:wecom_directorysyncrun_change", args=[waits.pk])
    assert verb(waits, name) in client.page(page)
    client.get(verb(waits, name))
    assert runs.run_due() == 0
    client.post(verb(waits, name))
    assert runs.run_due() == (name == "run_now")
    waits.refresh_from_db()
    assert waits.status == ("success" if name == "run_now" else "failed")
    assert ("nora gave it up" in waits.message) is (name == "give_up")
    assert verb(waits, name) not in client.page(page)
    assert "does not wait any more" in client.told(verb(waits, name))[0]


def test_what_waits_is_left_alone_by_who_may_only_look(waits: DirectorySyncRun):
    client = logged_in(staff("wecom.view_directorysyncrun"))
    assert client.post(verb(waits, "give_up")).status_code == 403
    waits.refresh_from_db()
    assert waits.status == "pending"


# -- previews --------------------------------------------------------------------------------------------------------


def preview_of(client: Any, config: WeComConfig, **more: Any) -> str:
    return str(client.post(SYNCHRONISE, asked(config, preview="1", **more)).headers["Location"])


def test_a_preview_shows_the_difference_and_writes_nothing(config: WeComConfig, company: Company):
    client = logged_in(staff(SYNC))
    url = preview_of(client, config)
    assert 'data-open="true"' in client.page(url)
    assert previews.make_due() == 1
    page = client.page(url)
    assert 'data-open="false"' in page
    assert "姓名u000" in page
    assert client.get(f"{url}/progress").json()["percent"] == 100
    assert not Member.objects.exists()
    assert not DirectorySyncRun.objects.exists()


def test_a_preview_says_when_the_brake_would_hold(config: WeComConfig, company: Company):
    runs.run(runs.open_run(config, "full"))
    company.remove(*[f"u{n:03d}" for n in range(11)])
    client = logged_in(staff(SYNC))
    url, forced = preview_of(client, config), preview_of(client, config, force="on")
    assert previews.make_due() == 2
    sentence = "WeCom no longer lists 11 of 12"
    assert sentence in client.page(url)
    assert sentence not in client.page(forced)
    assert Member.objects.current().count() == 12


def test_a_preview_that_fails_says_why(config: WeComConfig, peer: Peer):
    peer.answer("department/list", {"errcode": 60011, "errmsg": "no privilege"})
    peer.answer("department/simplelist", {"errcode": 60011, "errmsg": "no privilege"})
    client = logged_in(staff(SYNC))
    url = preview_of(client, config)
    previews.make_due()
    told = client.get(f"{url}/progress").json()
    assert (told["open"], told["tone"]) == (False, "danger")
    assert told["message"]


def test_a_preview_speaks_the_language_of_who_asked(config: WeComConfig, peer: Peer):
    peer.answer("department/list", {"errcode": 60011, "errmsg": "no privilege"})
    peer.answer("department/simplelist", {"errcode": 60011, "errmsg": "no privilege"})
    user, said = staff(SYNC), {}
    for language in ("en", "zh-hans"):
        client = logged_in(user, language)
        url = preview_of(client, config)
        previews.make_due()
        said[language] = client.get(f"{url}/progress").json()["message"]
    assert said["en"].startswith("The app has no rights")
    assert said["zh-hans"] != said["en"]


def test_a_preview_whose_worker_died_ends(config: WeComConfig):
    preview = previews.Preview(config.pk, "user", False, "en", status="running", began_at=1.0, seen_at=2.0)
    preview.save()
    url = reverse("admin:wecom_directorysyncrun_preview", args=[preview.key])
    told = logged_in(staff(SYNC)).get(f"{url}/progress").json()
    assert (told["open"], told["tone"]) == (False, "danger")


def test_previews_are_forgotten_and_closed_to_others(config: WeComConfig, company: Company):
    url = preview_of(logged_in(staff(SYNC)), config)
    other = logged_in(staff("wecom.view_directorysyncrun", name="rita"))
    assert other.get(url).status_code == 403
    assert other.get(f"{url}/progress").status_code == 403
    keys = list(redis().scan_iter("wecom:preview*"))
    assert len(keys) == 2
    assert all(0 < redis().ttl(key) <= 3600 for key in keys)
    redis().flushdb()
    assert logged_in(User.objects.get(username="nora")).get(url).status_code == 404


def test_without_redis_no_preview_is_promised(config: WeComConfig, settings: Any):
    client = logged_in(staff(SYNC))
    settings.REDIS_URL = refused_url().replace("http", "redis")
    assert "Redis" in client.told(SYNCHRONISE, asked(config, preview="1"))[0]


# -- quota -----------------------------------------------------------------------------------------------------------


def test_the_quota_shows_use_pauses_and_the_token(config: WeComConfig):
    client = for_config(config)
    client.tokens.get()
    for _call in range(3):
        client.budget.take("user/list", "bulk")
    client.budget.pause("oa/applyevent", 60)
    answer = logged_in(staff("wecom.view_directorysyncrun")).get(QUOTA)
    (app,) = answer.context["apps"]
    assert [(level.endpoint, level.used, bool(level.paused)) for level, _until in app["busy"]] == [
        ("oa/applyevent", 0, True),
        ("user/list", 3, False),
        ("gettoken", 1, False),
    ]
    assert app["quota"].token_until > timezone.now()
    page = answer.content.decode()
    assert "9997" in page
    assert "Access token good until" in page


def test_looking_at_the_quota_costs_no_call(config: WeComConfig, peer: Peer):
    client = logged_in(staff("wecom.view_directorysyncrun"))
    client.get(QUOTA)
    assert peer.calls("gettoken") == []
    assert not list(redis().scan_iter(f"{app_key(config)}:*"))


def test_an_app_that_may_not_ask_for_a_token_says_until_when(config: WeComConfig, peer: Peer):
    peer.answer("gettoken", {"errcode": 40001, "errmsg": "invalid credential"})
    with pytest.raises(PermanentError):
        for_config(config).tokens.get()
    client = logged_in(staff("wecom.view_directorysyncrun"))
    assert "WeCom refused an access token" in client.page(QUOTA)
    (app,) = client.get(QUOTA).context["apps"]
    assert [(level.endpoint, level.paused > 0, level.left) for level in app["quota"].busy] == [("gettoken", True, 0)]


def test_without_redis_the_quota_says_that_nobody_knows(config: WeComConfig, settings: Any):
    client = logged_in(staff("wecom.view_directorysyncrun"))
    settings.REDIS_URL = refused_url().replace("http", "redis")
    assert "Redis cannot be reached" in client.page(QUOTA)


def test_the_quota_is_for_who_may_see_runs(config: WeComConfig):
    index = reverse("admin:index")
    for number, right in enumerate(("wecom.view_directorysyncrun", SYNC)):
        client = logged_in(staff(right, name=f"n{number}"))
        assert QUOTA in client.page(index)
        assert client.get(QUOTA).status_code == 200
    other = logged_in(staff("wecom.view_member", name="other"))
    assert QUOTA not in other.page(index)
    assert other.get(QUOTA).status_code == 403


def test_the_first_page_tells_of_pauses(config: WeComConfig):
    client = logged_in(staff("wecom.view_directorysyncrun"))

    def paused() -> list[str]:
        (panel,) = client.get(reverse("admin:index")).context["panels"]
        assert panel["url"] == QUOTA
        return [level.endpoint for app in panel["content"]["apps"] for level, _until in app["busy"] if level.paused]

    assert paused() == []
    Budget(app_key(config)).pause("user/list", 60)
    assert paused() == ["user/list"]
    Breaker(f"{TokenStore(config)._key}:breaker").open(error_for("gettoken", 40001, ""))
    assert sorted(paused()) == ["gettoken", "user/list"]


def test_the_first_page_shows_the_busiest_endpoints_and_what_is_paused(config: WeComConfig, settings: Any):
    client, budget = logged_in(staff("wecom.view_directorysyncrun")), Budget(app_key(config))
    index = reverse("admin:index")
    assert "No calls in the last minute, and no pauses." in client.page(index)
    for count, endpoint in enumerate(ENDPOINTS[:7], 1):
        for _call in range(count):
            budget.take(endpoint)
    budget.pause("user/list", 60)
    budget.take("message/send")
    (panel,) = client.get(index).context["panels"]
    (app,) = panel["content"]["apps"]
    expected = ["user/list", *reversed(ENDPOINTS[3:7])]
    assert [level.endpoint for level, _until in app["busy"]] == expected
    assert app["more"] == 4
    page = client.page(index)
    assert str(app["busy"][1][0].left) in page
    assert date_format(timezone.localtime(app["busy"][0][1]), "H:i") in page
    settings.REDIS_URL = refused_url().replace("http", "redis")
    assert "Redis cannot be reached" in client.page(index)


def test_the_panel_is_for_who_may_see_runs(config: WeComConfig):
    assert logged_in(staff("wecom.view_member")).get(reverse("admin:index")).context["panels"] == []
