"""WeCom's pages in the admin: secrets that never come out, and an inbox that can be read and repeated."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from config.testing.parallel import at_once
from wecom.admin.callbacks import pretty_xml
from wecom.admin.config_verbs import FINISH_ROTATION
from wecom.configs import callback_url, credentials_for
from wecom.models import CallbackEvent, Capability, CapabilityResult, Member, RefusedCallback, WeComConfig
from wecom.tests.peers import Peer, Raw
from wecom.tests.probing import grant_everything, refusal

pytestmark = pytest.mark.django_db
SECRETS = {
    "secret": "canary-secret-77",
    "callback_token": "CanaryToken2026",
    "encoding_aes_key": "q7Rw2ZkT0mVx9LbN4cJpYf6HsGd1UeAo3iBt8WvKyE0",
}
NEXT = {"next_callback_token": "NextToken2027", "next_encoding_aes_key": "Z7Rw2ZkT0mVx9LbN4cJpYf6HsGd1UeAo3iBt8WvKyE0"}
CHANGERS = ("view_wecomconfig", "change_wecomconfig")
CONFIG = "/admin/wecom/wecomconfig/"
EVENTS = "/admin/wecom/callbackevent/"


@pytest.fixture
def config() -> WeComConfig:
    return WeComConfig.objects.create(slug="default", name="App", corp_id="ww1", agent_id=1, is_default=True, **SECRETS)


@pytest.fixture
def log_in() -> Callable[..., Client]:
    def login(*codenames: str, superuser: bool = False, language: str = "en") -> Client:
        user = User.objects.create_user(f"user{User.objects.count()}", is_staff=True, is_superuser=superuser)
        user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        client.cookies["django_language"] = language
        return client

    return login


def form(**changes: Any) -> dict[str, Any]:
    fields = {"slug": "default", "name": "App", "corp_id": "ww1", "agent_id": "1", "enabled": "on", "is_default": "on"}
    secrets = dict.fromkeys((*SECRETS, *NEXT), "")
    return {**fields, "template_id": "", "default_applicant": "", **secrets, **changes}


def revealed(config: WeComConfig) -> dict[str, str]:
    stored = WeComConfig.objects.get(pk=config.pk)
    return {name: getattr(stored, name).reveal() for name in (*SECRETS, *NEXT) if getattr(stored, name)}


def event(config: WeComConfig, key: str, **values: Any) -> CallbackEvent:
    row = {"event": "sys_approval_change", "payload": "<xml><SpNo>1</SpNo></xml>", "credential": "primary", **values}
    return CallbackEvent.objects.create(key=key, config=config, **row)


# -- secrets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codenames", [("view_wecomconfig",), ("view_wecomconfig", "change_wecomconfig")])
def test_no_secret_is_ever_rendered(
    config: WeComConfig, log_in: Callable[..., Client], codenames: tuple[str, ...]
) -> None:
    client = log_in(*codenames)
    for url in (CONFIG, f"{CONFIG}{config.pk}/change/", f"{CONFIG}{config.pk}/history/"):
        page = client.get(url).content.decode()
        assert not [secret for secret in SECRETS.values() if secret in page]
    assert "******" in client.get(f"{CONFIG}{config.pk}/change/").content.decode()


def test_a_form_that_comes_back_does_not_repeat_the_secret(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    client = log_in("view_wecomconfig", "change_wecomconfig")
    response = client.post(f"{CONFIG}{config.pk}/change/", form(secret="brand-new-secret", corp_id=""))
    assert response.status_code == 200
    assert "brand-new-secret" not in response.content.decode()


def test_left_empty_the_stored_secrets_stay(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    client = log_in("view_wecomconfig", "change_wecomconfig")
    assert client.post(f"{CONFIG}{config.pk}/change/", form(name="Renamed")).status_code == 302
    assert revealed(config) == SECRETS
    assert WeComConfig.objects.get().name == "Renamed"


def test_a_new_secret_replaces_the_old_one_and_is_used_at_once(
    config: WeComConfig, log_in: Callable[..., Client]
) -> None:
    credentials_for("default")
    client = log_in("view_wecomconfig", "change_wecomconfig")
    client.post(f"{CONFIG}{config.pk}/change/", form(secret="fresh", **NEXT))
    assert revealed(config) == {**SECRETS, "secret": "fresh", **NEXT}
    assert credentials_for("default").secondary is not None
    entry = LogEntry.objects.get()
    assert "fresh" not in entry.change_message
    assert "ecret" in entry.change_message


def test_a_new_app_needs_a_secret(log_in: Callable[..., Client]) -> None:
    client = log_in("view_wecomconfig", "add_wecomconfig")
    response = client.post(f"{CONFIG}add/", form())
    assert "secret" in response.context["adminform"].form.errors
    assert client.post(f"{CONFIG}add/", form(**SECRETS)).status_code == 302
    assert revealed(WeComConfig.objects.get()) == SECRETS


@pytest.mark.parametrize(
    ("name", "value"),
    [("encoding_aes_key", "too short"), ("callback_token", "with space"), ("callback_token", "x" * 33)],
)
def test_what_wecom_would_not_take_is_refused(
    config: WeComConfig, log_in: Callable[..., Client], name: str, value: str
) -> None:
    client = log_in("view_wecomconfig", "change_wecomconfig")
    response = client.post(f"{CONFIG}{config.pk}/change/", form(**{name: value}))
    assert name in response.context["adminform"].form.errors
    assert revealed(config) == SECRETS


def test_finishing_a_rotation_leaves_only_the_next_pair(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    client = log_in("view_wecomconfig", "change_wecomconfig")
    page = f"{CONFIG}{config.pk}/change/"
    assert "finish-rotation" not in client.get(page).content.decode()
    client.post(page, form(**NEXT))
    assert "finish-rotation" in client.get(page).content.decode()
    client.get(f"{CONFIG}{config.pk}/finish-rotation/")
    assert len(revealed(config)) == 5
    client.post(f"{CONFIG}{config.pk}/finish-rotation/")
    assert revealed(config) == {
        "secret": SECRETS["secret"],
        "callback_token": NEXT["next_callback_token"],
        "encoding_aes_key": NEXT["next_encoding_aes_key"],
    }


def test_the_next_pair_can_be_discarded(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    client = log_in("view_wecomconfig", "change_wecomconfig")
    client.post(f"{CONFIG}{config.pk}/change/", form(**NEXT))
    client.post(f"{CONFIG}{config.pk}/change/", form(discard_next="on"))
    assert revealed(config) == SECRETS


def seen(page: Any) -> str:
    """What the browser sends along: which state of the app the page shows."""
    found = re.search(r'name="seen" value="([^"]+)"', page.content.decode())
    assert found is not None
    return found[1]


def test_a_page_that_is_out_of_date_undoes_nothing(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    mine, yours, page = log_in(*CHANGERS), log_in(*CHANGERS), f"{CONFIG}{config.pk}/change/"
    known = seen(mine.get(page))
    assert yours.post(page, form(template_id="T2", seen=known)).status_code == 302
    answer = mine.post(page, form(name="Mine", seen=known))
    assert "It has changed since you opened the page." in answer.content.decode()
    row = WeComConfig.objects.get()
    assert (row.name, row.template_id) == ("App", "T2")
    assert mine.post(page, form(name="Mine", template_id="T2", seen=seen(mine.get(page)))).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_two_pages_sent_at_the_same_moment_one_is_refused(log_in: Callable[..., Client]) -> None:
    app = WeComConfig.objects.create(slug="default", name="App", corp_id="ww1", agent_id=1, is_default=True, **SECRETS)
    mine, yours, page = log_in(*CHANGERS), log_in(*CHANGERS), f"{CONFIG}{app.pk}/change/"
    known = seen(mine.get(page))
    answers = at_once(
        lambda: mine.post(page, form(template_id="T1", seen=known)),
        lambda: yours.post(page, form(default_applicant="li.mei", seen=known)),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 302]


def test_a_rotation_is_finished_with_what_is_stored_by_then(config: WeComConfig, rf: RequestFactory) -> None:
    """And not with what was stored when the button's page was read."""
    WeComConfig.objects.update(template_id="T2", **NEXT)
    with transaction.atomic():
        FINISH_ROTATION.run(rf.post("/"), config, {})
    assert WeComConfig.objects.get().template_id == "T2"
    assert revealed(config)["callback_token"] == NEXT["next_callback_token"]


def test_marking_another_app_as_default_moves_the_mark(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    client = log_in("view_wecomconfig", "add_wecomconfig")
    assert client.post(f"{CONFIG}add/", form(slug="second", secret="s")).status_code == 302
    assert WeComConfig.objects.get(is_default=True).slug == "second"


def test_the_callback_address_is_there_to_copy(
    config: WeComConfig, log_in: Callable[..., Client], settings: Any
) -> None:
    settings.WECOM_CALLBACK_URL, settings.API_BASE_URL = "https://quotes.example/hook", "https://quotes.example"
    assert (
        "https://quotes.example/hook" in log_in("view_wecomconfig").get(f"{CONFIG}{config.pk}/change/").content.decode()
    )
    other = WeComConfig(slug="second", name="x", corp_id="ww", agent_id=2)
    assert callback_url(other) == "https://quotes.example/wecom/callback/second"


# -- the inbox -----------------------------------------------------------------------------------------------------


def test_the_payload_is_shown_readably_and_harmlessly(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    row = event(config, "a", payload="<xml><Speech>&lt;script&gt;alert(1)&lt;/script&gt;</Speech></xml>")
    page = log_in("view_callbackevent").get(f"{EVENTS}{row.pk}/change/").content.decode()
    assert "&lt;Speech&gt;" in page
    assert "<script>alert(1)" not in page


def test_pretty_xml_indents_and_leaves_the_unreadable_alone() -> None:
    assert pretty_xml("<xml><A>1</A></xml>") == "<xml>\n  <A>1</A>\n</xml>"
    for text in ("no xml", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', ""):
        assert pretty_xml(text) == text


def test_any_stored_event_can_be_processed_again(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    row = event(config, "a", status="succeeded", outcome="applied", finished_at=timezone.now())
    client = log_in("view_callbackevent", "change_callbackevent")
    client.get(f"{EVENTS}{row.pk}/process-again/")
    row.refresh_from_db()
    assert row.status == "succeeded"
    client.post(f"{EVENTS}{row.pk}/process-again/")
    row.refresh_from_db()
    assert (row.status, row.outcome) == ("pending", "")
    assert "processed again" in LogEntry.objects.get().change_message


def test_an_event_that_a_worker_holds_is_left_to_it(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    row = event(config, "a", status="running")
    client = log_in("view_callbackevent", "change_callbackevent")
    response = client.post(f"{EVENTS}{row.pk}/process-again/", follow=True)
    assert "processing it right now" in response.content.decode()
    row.refresh_from_db()
    assert row.status == "running"


def test_retry_over_a_list_takes_the_failed_and_reports_the_rest(
    config: WeComConfig, log_in: Callable[..., Client]
) -> None:
    dead = event(config, "a", status="dead", attempts=9, last_error="x")
    failed = event(config, "b", status="failed", next_attempt_at=timezone.now() + timedelta(hours=5))
    done = event(config, "c", status="succeeded")
    client = log_in("view_callbackevent", "change_callbackevent")
    data = {"action": "retry", "_selected_action": [dead.pk, failed.pk, done.pk]}
    page = client.post(EVENTS, data, follow=True).content.decode()
    assert "2 done" in page
    assert "1 refused" in page
    states = dict(CallbackEvent.objects.values_list("key", "status"))
    assert states == {"a": "pending", "b": "pending", "c": "succeeded"}
    assert CallbackEvent.objects.get(key="b").next_attempt_at <= timezone.now()
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize(
    ("status", "offered"),
    [("dead", {"retry"}), ("failed", {"retry"}), ("pending", {"process-again"}), ("succeeded", {"process-again"})],
)
def test_a_row_offers_one_way_to_repeat_it(
    config: WeComConfig, log_in: Callable[..., Client], status: str, offered: set[str]
) -> None:
    row = event(config, "a", status=status)
    page = log_in("view_callbackevent", "change_callbackevent").get(f"{EVENTS}{row.pk}/change/").content.decode()
    assert {verb for verb in ("retry", "process-again") if f"{EVENTS}{row.pk}/{verb}/" in page} == offered


def test_a_given_up_event_that_is_retried_has_its_whole_time_again(
    config: WeComConfig, log_in: Callable[..., Client]
) -> None:
    row = event(config, "a", status="dead", outcome="given_up", parked_at=timezone.now() - timedelta(days=8))
    log_in("view_callbackevent", "change_callbackevent").post(f"{EVENTS}{row.pk}/retry/")
    row.refresh_from_db()
    assert (row.status, row.outcome, row.parked_at) == ("pending", "", None)


def test_outcomes_are_told_in_words_and_unforeseen_ones_as_they_are(
    config: WeComConfig, log_in: Callable[..., Client]
) -> None:
    event(config, "a", outcome="given_up", status="dead")
    event(config, "b", outcome="brand_new", status="succeeded")
    page = log_in("view_callbackevent").get(EVENTS).content.decode()
    assert "Given up" in page
    assert "brand_new" in page


def test_looking_is_not_repeating(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    row = event(config, "a", status="dead")
    client = log_in("view_callbackevent")
    assert "process-again" not in client.get(f"{EVENTS}{row.pk}/change/").content.decode()
    for verb in ("process-again", "retry"):
        assert client.post(f"{EVENTS}{row.pk}/{verb}/").status_code == 403
    client.post(EVENTS, {"action": "retry", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.status == "dead"


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({"whereabouts": "parked"}, {"parked"}),
        ({"whereabouts": "waiting"}, {"waiting"}),
        ({"whereabouts": "dead"}, {"dead"}),
        ({"whereabouts": "done"}, {"done"}),
        ({"event": "sys_approval_change"}, {"parked", "waiting", "dead"}),
        ({"event": "other"}, {"done"}),
        ({"status__exact": "failed"}, {"parked", "waiting"}),
        ({"q": "2026-1"}, {"parked"}),
    ],
)
def test_the_inbox_is_filtered_in_the_operators_words(
    config: WeComConfig, log_in: Callable[..., Client], query: dict[str, str], keys: set[str]
) -> None:
    event(config, "parked", status="failed", parked_at=timezone.now(), subject="2026-1")
    event(config, "waiting", status="failed")
    event(config, "dead", status="dead")
    event(config, "done", status="succeeded", event="enter_agent")
    rows = log_in("view_callbackevent").get(EVENTS, query).context["cl"].result_list
    assert {row.key for row in rows} == keys


# -- rights --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("model", ["wecomconfig", "member", "callbackevent", "refusedcallback"])
def test_pages_open_with_the_right_to_view_and_with_nothing_less(
    config: WeComConfig, log_in: Callable[..., Client], model: str, language: str
) -> None:
    rows = {
        "wecomconfig": config,
        "member": Member.objects.create(config=config, userid="li.mei", name="Li"),
        "callbackevent": event(config, "a"),
        "refusedcallback": RefusedCallback.objects.create(method="POST", code=-40001, reason="wrong signature"),
    }
    urls = (f"/admin/wecom/{model}/", f"/admin/wecom/{model}/{rows[model].pk}/change/")
    reader, stranger = log_in(f"view_{model}", language=language), log_in("view_logentry")
    for url in urls:
        page = reader.get(url)
        assert page.status_code == 200
        assert f'lang="{language}"' in page.content.decode()
        assert stranger.get(url).status_code == 403
    assert reader.get(f"/admin/wecom/{model}/add/").status_code == 403


@pytest.mark.parametrize("model", ["callbackevent", "refusedcallback"])
def test_facts_are_not_edited_by_anybody(config: WeComConfig, log_in: Callable[..., Client], model: str) -> None:
    row = (
        event(config, "a")
        if model == "callbackevent"
        else RefusedCallback.objects.create(method="GET", code=1, reason="")
    )
    client = log_in(superuser=True)
    assert client.get(f"/admin/wecom/{model}/add/").status_code == 403
    assert client.post(f"/admin/wecom/{model}/{row.pk}/change/", {"status": "succeeded"}).status_code == 403
    assert client.post(f"/admin/wecom/{model}/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_member_is_linked_to_the_person_who_logs_in(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    client = log_in("view_member", "add_member")
    staff = User.objects.create_user("li", is_staff=True)
    outsider = User.objects.create_user("out")
    data = {"config": config.pk, "userid": "li.mei", "name": "Li", "user": outsider.pk}
    assert "user" in client.post("/admin/wecom/member/add/", data).context["adminform"].form.errors
    assert client.post("/admin/wecom/member/add/", data | {"user": staff.pk}).status_code == 302
    assert Member.objects.get().user == staff


# -- what an app may do --------------------------------------------------------------------------------------------


@pytest.fixture
def reachable(config: WeComConfig, peer: Peer, settings: Settings) -> WeComConfig:
    """Its WeCom grants everything, and its address is played by the same server."""
    grant_everything(peer)
    settings.WECOM_CALLBACK_URL = f"{peer.url}/wecom/callback"
    peer.answer("/wecom/callback", Raw(502))
    WeComConfig.objects.update(slug=f"app-{uuid.uuid4().hex[:8]}")  # nothing in Redis is shared
    config.refresh_from_db()
    return config


def test_an_app_that_was_never_probed_says_so(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    page = log_in("view_wecomconfig").get(f"{CONFIG}{config.pk}/change/").content.decode()
    assert page.count("Not asked yet") == len(Capability)


def test_a_probe_shows_the_matrix_with_what_to_do(
    reachable: WeComConfig, peer: Peer, log_in: Callable[..., Client]
) -> None:
    peer.answer("externalcontact/get_follow_user_list", refusal(84074))
    client = log_in(*CHANGERS)
    url = f"{CONFIG}{reachable.pk}/probe/"
    assert "nobody gets a message" in client.get(url).content.decode()
    assert peer.received == []
    page = client.post(url, follow=True).content.decode()
    assert "6 of 9 work; 2 need a person" in page
    for text in (
        "The app may not see customers.",
        "errcode 84074",
        "客户联系 → 可调用接口的应用",
        "HTTP status 502",
        "ago",
    ):
        assert text in page


def test_the_matrix_is_in_the_readers_language(
    reachable: WeComConfig, peer: Peer, log_in: Callable[..., Client]
) -> None:
    peer.answer("oa/getapprovalinfo", refusal(-1))
    log_in(*CHANGERS).post(f"{CONFIG}{reachable.pk}/probe/")
    reader = log_in("view_wecomconfig", language="zh-hans")
    assert "WeCom is busy" not in reader.get(f"{CONFIG}{reachable.pk}/change/").content.decode()


def test_new_credentials_are_probed_at_once_and_a_new_name_is_not(
    reachable: WeComConfig, peer: Peer, log_in: Callable[..., Client], django_capture_on_commit_callbacks: Any
) -> None:
    client = log_in(*CHANGERS)
    url = f"{CONFIG}{reachable.pk}/change/"
    same = {"slug": reachable.slug}
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url, form(**same, name="Renamed"))
    assert peer.received == []
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(url, form(**same, secret="fresh-secret"))
    assert response["Location"] == url
    assert peer.calls("gettoken")[0].query["corpsecret"] == "fresh-secret"
    assert CapabilityResult.objects.filter(ok=True).exists()


def test_whoever_may_only_look_can_neither_probe_nor_check(
    reachable: WeComConfig, log_in: Callable[..., Client]
) -> None:
    client = log_in("view_wecomconfig")
    page = client.get(f"{CONFIG}{reachable.pk}/change/").content.decode()
    for name in ("probe", "check-callback"):
        assert f"/{name}/" not in page
        assert client.post(f"{CONFIG}{reachable.pk}/{name}/").status_code == 403


def test_the_check_of_the_callback_says_what_is_wrong_and_what_was_refused(
    reachable: WeComConfig, log_in: Callable[..., Client]
) -> None:
    WeComConfig.objects.update(updated_at=timezone.now() - timedelta(minutes=1))
    RefusedCallback.objects.create(
        method="POST", code=-40001, reason="The signature does not match: the token here and the one in WeCom differ."
    )
    page = log_in(*CHANGERS).post(f"{CONFIG}{reachable.pk}/check-callback/").content.decode()
    assert "does not reach this system (HTTP status 502)" in page
    assert "Start the web processes" in page
    assert "the token here and the one in WeCom differ" in page
    assert LogEntry.objects.get().change_message


# -- rotation, keys, deletion --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "text"),
    [("primary", "still with the present pair"), ("secondary", "the rotation can be finished")],
)
def test_a_rotation_shows_which_pair_is_in_use(
    config: WeComConfig, log_in: Callable[..., Client], pair: str, text: str
) -> None:
    noted = {"last_callback_at": timezone.now(), "last_credential": pair}
    WeComConfig.objects.update(**noted)
    client = log_in(*CHANGERS)
    assert text not in client.get(f"{CONFIG}{config.pk}/change/").content.decode()
    client.post(f"{CONFIG}{config.pk}/change/", form(**NEXT))
    page = client.get(f"{CONFIG}{config.pk}/change/").content.decode()
    assert text not in page and "before these credentials were entered" in page
    WeComConfig.objects.update(**noted)
    assert text in client.get(f"{CONFIG}{config.pk}/change/").content.decode()


@pytest.mark.parametrize("ended_by", ["finishing", "discarding"])
def test_a_second_rotation_does_not_take_the_first_ones_note_for_its_own(
    config: WeComConfig, log_in: Callable[..., Client], ended_by: str
) -> None:
    client = log_in(*CHANGERS)
    page = f"{CONFIG}{config.pk}/change/"
    client.post(page, form(**NEXT))
    WeComConfig.objects.update(last_callback_at=timezone.now(), last_credential="secondary")
    if ended_by == "finishing":
        client.post(f"{CONFIG}{config.pk}/finish-rotation/")
    else:
        client.post(page, form(discard_next="on"))
    assert WeComConfig.objects.get().last_credential == ""
    client.post(page, form(**NEXT))
    assert "the rotation can be finished" not in client.get(page).content.decode()


def test_the_sync_assistants_pair_goes_in_and_does_not_come_out(
    config: WeComConfig, log_in: Callable[..., Client]
) -> None:
    client = log_in(*CHANGERS)
    page = f"{CONFIG}{config.pk}/change/"
    pair = {"contact_callback_token": "ContactToken2026", "contact_encoding_aes_key": NEXT["next_encoding_aes_key"]}
    bad = client.post(page, form(contact_callback_token="a blank")).context["adminform"].form.errors
    assert list(bad) == ["contact_callback_token"]
    assert client.post(page, form(**pair)).status_code == 302
    assert credentials_for("default").contact is not None
    client.post(page, form(name="Renamed"))  # left empty they stay
    row = WeComConfig.objects.get()
    assert {name: getattr(row, name).reveal() for name in pair} == pair
    assert not [secret for secret in pair.values() if secret in client.get(page).content.decode()]


def test_secrets_that_cannot_be_opened_are_never_overwritten(
    config: WeComConfig, log_in: Callable[..., Client], settings: Settings
) -> None:
    known = settings.FIELD_ENCRYPTION_KEYS
    settings.FIELD_ENCRYPTION_KEYS = ["YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="]
    client = log_in(*CHANGERS)
    assert client.get(f"{CONFIG}{config.pk}/change/").status_code == 200
    assert (
        client.post(f"{CONFIG}{config.pk}/change/", form(name="Renamed", callback_token="Other2028")).status_code == 302
    )
    settings.FIELD_ENCRYPTION_KEYS = known
    row = WeComConfig.objects.get()
    assert (row.name, row.secret.reveal(), row.encoding_aes_key.reveal()) == (
        "Renamed",
        SECRETS["secret"],
        SECRETS["encoding_aes_key"],
    )


def test_an_app_that_is_needed_is_not_deleted(config: WeComConfig, log_in: Callable[..., Client]) -> None:
    Member.objects.create(config=config, userid="li.mei", name="李梅")
    client = log_in(*CHANGERS, "delete_wecomconfig", "delete_member")
    url = f"{CONFIG}{config.pk}/delete/"
    assert "needed by 1 member" in client.get(url).content.decode()
    client.post(url, {"post": "yes"})
    assert WeComConfig.objects.exists() and Member.objects.exists()
    Member.objects.all().delete()
    client.post(url, {"post": "yes"})
    assert not WeComConfig.objects.exists()
