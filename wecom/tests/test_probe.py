"""The probe: what an app may do, told from answers that WeCom gives, without changing anything there."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation
from pytest_django.fixtures import Settings

from wecom import probe as probing
from wecom.directory_api import contact_client, list_userids
from wecom.errors import PermanentError
from wecom.findings import Words
from wecom.models import Capability, CapabilityResult, WeComConfig
from wecom.probe import PLACES, Probed, explain, probe, probe_and_keep
from wecom.probe_questions import NOBODY
from wecom.tests.peers import Hang, Peer, Raw, Received, refused_url
from wecom.tests.probing import OK, grant_everything, refusal

pytestmark = pytest.mark.django_db
ENDPOINTS = {
    Capability.TOKEN: "gettoken",
    Capability.TRUSTED_IP: "getcallbackip",
    Capability.APPROVALS: "oa/getapprovalinfo",
    Capability.TEMPLATE: "oa/gettemplatedetail",
    Capability.MESSAGES: "message/send",
    Capability.CARDS: "message/send",
    Capability.DIRECTORY: "department/simplelist",
    Capability.CUSTOMERS: "externalcontact/get_follow_user_list",
}


@pytest.fixture
def config(app: WeComConfig, peer: Peer) -> WeComConfig:
    app.template_id = "TplQuote"
    app.save()
    grant_everything(peer)
    return app


def verdicts(config: WeComConfig) -> dict[str, bool | None]:
    return {one.capability.value: one.ok for one in probe(config)}


def found(config: WeComConfig, capability: Capability) -> Probed:
    return next(one for one in probe(config) if one.capability is capability)


def test_an_app_that_may_do_everything_but_has_no_callback(config: WeComConfig) -> None:
    expected: dict[str, bool | None] = {**dict.fromkeys(Capability.values, True), "callback": None}
    assert verdicts(config) == expected


def test_nothing_is_changed_and_nobody_gets_a_message(config: WeComConfig, peer: Peer) -> None:
    list(probe(config))
    assert {request.endpoint for request in peer.received} == set(ENDPOINTS.values())
    assert {call.body["touser"] for call in peer.calls("message/send")} == {NOBODY}
    (search,) = peer.calls("oa/getapprovalinfo")
    assert int(search.body["endtime"]) - int(search.body["starttime"]) == 60 and search.body["size"] == 1


@pytest.mark.parametrize(
    ("capability", "errcode"),
    [
        (Capability.APPROVALS, 301055),
        (Capability.TEMPLATE, 301025),
        (Capability.MESSAGES, 301002),
        (Capability.DIRECTORY, 48002),
        (Capability.CUSTOMERS, 84074),
    ],
)
def test_one_right_that_is_missing(config: WeComConfig, peer: Peer, capability: Capability, errcode: int) -> None:
    peer.answer(ENDPOINTS[capability], refusal(errcode))
    one = found(config, capability)
    assert (one.ok, one.errcode) == (False, errcode)
    others = verdicts(config)
    touched = {Capability.MESSAGES.value, Capability.CARDS.value} if "message" in ENDPOINTS[capability] else set()
    assert all(ok for name, ok in others.items() if name not in {capability.value, "callback", *touched})


def test_cards_need_a_callback_address_and_messages_do_not(config: WeComConfig, peer: Peer) -> None:
    peer.answer("message/send", refusal(81013), refusal(43012))
    seen = verdicts(config)
    assert (seen["messages"], seen["cards"], seen["directory"]) == (True, False, True)


@pytest.mark.parametrize(
    ("endpoint", "answer", "capability", "code"),
    [
        ("department/simplelist", {**OK, "department_id": []}, Capability.DIRECTORY, "no_department"),
        (
            "externalcontact/get_follow_user_list",
            {**OK, "follow_user": []},
            Capability.CUSTOMERS,
            "no_follower",
        ),
    ],
)
def test_a_right_that_holds_nothing(
    config: WeComConfig, peer: Peer, endpoint: str, answer: dict[str, object], capability: Capability, code: str
) -> None:
    peer.answer(endpoint, answer)
    one = found(config, capability)
    assert (one.ok, one.finding) == (False, code)


def test_without_a_template_there_is_nothing_to_ask(config: WeComConfig, peer: Peer) -> None:
    config.template_id = ""
    assert (found(config, Capability.TEMPLATE).ok, peer.calls("oa/gettemplatedetail")) == (None, [])


def test_a_wrong_secret_is_asked_once_and_nothing_else(config: WeComConfig, peer: Peer) -> None:
    peer.answer("gettoken", refusal(40001))
    results = list(probe(config))
    assert (results[0].ok, results[0].errcode) == (False, 40001)
    assert {one.finding for one in results[1:-1]} == {"after_token"}
    assert [request.endpoint for request in peer.received] == ["gettoken"]


def test_a_secret_that_was_changed_in_wecom_is_found_although_a_token_is_cached(
    config: WeComConfig, peer: Peer
) -> None:
    assert found(config, Capability.TOKEN).ok
    peer.answer("gettoken", refusal(40001))
    assert found(config, Capability.TOKEN).errcode == 40001


class TestSyncAssistant:
    """Its secret belongs to the directory: without it, nobody outside the app's scope is known."""

    @pytest.fixture
    def with_assistant(self, config: WeComConfig) -> WeComConfig:
        config.contact_secret = "assistant-secret"
        config.save()
        return config

    def secrets_that_work(self, peer: Peer, *secrets: str) -> None:
        def answer(request: Received) -> dict[str, Any]:
            secret = request.query["corpsecret"]
            token = {**OK, "access_token": f"token of {secret}", "expires_in": 7200}
            return token if secret in secrets else refusal(40001)

        peer.answer("gettoken", answer)

    def explained(self, config: WeComConfig) -> tuple[Probed, Words]:
        one = found(config, Capability.DIRECTORY)
        with translation.override("en"):
            return one, explain(one, config)

    def test_it_may_list_userids(self, with_assistant: WeComConfig, peer: Peer) -> None:
        peer.answer("user/list_id", {**OK, "dept_user": [], "next_cursor": ""})
        assert found(with_assistant, Capability.DIRECTORY).ok
        (call,) = peer.calls("user/list_id")
        assert call.body == {"limit": 1}

    def test_a_wrong_secret_is_told_from_the_apps(self, with_assistant: WeComConfig, peer: Peer) -> None:
        self.secrets_that_work(peer, with_assistant.secret.reveal())
        one, said = self.explained(with_assistant)
        assert (one.ok, one.errcode) == (False, 40001)
        assert "Sync assistant" in said.sentence and "contact secret" in said.remedy
        assert found(with_assistant, Capability.TOKEN).ok

    def test_a_right_it_lacks(self, with_assistant: WeComConfig, peer: Peer) -> None:
        peer.answer("user/list_id", refusal(48009))
        assert "API接口同步" in self.explained(with_assistant)[1].remedy

    def test_trouble_that_passes(self, with_assistant: WeComConfig, peer: Peer) -> None:
        peer.answer("user/list_id", Raw(502))
        one, said = self.explained(with_assistant)
        assert one.ok is None
        assert said == (
            "Sync assistant (通讯录同步助手): What answered was not WeCom's API (HTTP status 502).",
            "Probe again in a while.",
        )

    def test_the_reading_of_a_run_names_it_too(self, with_assistant: WeComConfig, peer: Peer) -> None:
        self.secrets_that_work(peer, with_assistant.secret.reveal())
        client = contact_client(with_assistant)
        assert client is not None
        with pytest.raises(PermanentError) as caught:
            list_userids(client)
        with translation.override("en"):
            assert "contact secret" in str(caught.value.remedy)


def test_an_untrusted_address_ends_the_questions_and_names_itself(config: WeComConfig, peer: Peer) -> None:
    peer.answer("getcallbackip", refusal(60020))
    results = list(probe(config))
    assert results[1].errcode == 60020
    assert {one.finding for one in results[2:-1]} == {"after_address"}
    with translation.override("en"):
        assert "198.51.100.7" in explain(results[1], config).remedy


def test_an_address_that_is_only_refused_elsewhere_is_untrusted_too(config: WeComConfig, peer: Peer) -> None:
    peer.answer("oa/getapprovalinfo", refusal(60020))
    probe_and_keep(config)
    assert CapabilityResult.objects.get(capability="trusted_ip").errcode == 60020


def test_trouble_that_passes_says_nothing_about_the_right(config: WeComConfig, peer: Peer) -> None:
    peer.answer("department/simplelist", refusal(-1))
    peer.answer("externalcontact/get_follow_user_list", Raw(502))
    seen = verdicts(config)
    assert (seen["directory"], seen["customers"]) == (None, None)
    with translation.override("en"):
        said = explain(found(config, Capability.CUSTOMERS), config)
    assert said == ("What answered was not WeCom's API (HTTP status 502).", "Probe again in a while.")


def test_a_host_that_is_away_costs_one_call(config: WeComConfig, settings: Settings) -> None:
    settings.WECOM_API_BASE_URL = refused_url()
    results = list(probe(config))
    assert {one.ok for one in results} == {None}
    with translation.override("en"):
        assert explain(results[0], config).sentence == "WeCom cannot be reached."


def test_a_wecom_that_hangs_does_not_hold_the_person_up(
    config: WeComConfig, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wecom.transport.READ_SECONDS", 0.2)
    monkeypatch.setattr(probing, "LONGEST", 0.1)
    peer.answer("getcallbackip", Hang())
    results = list(probe(config))
    assert {one.finding for one in results[2:-1]} == {"too_slow"}


def test_a_secret_that_cannot_be_opened(config: WeComConfig, settings: Settings, peer: Peer) -> None:
    settings.FIELD_ENCRYPTION_KEYS = ["YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="]
    assert next(probe(WeComConfig.objects.get())).finding == "sealed"
    assert peer.received == []


def test_results_are_kept_and_the_next_probe_takes_their_place(config: WeComConfig, peer: Peer) -> None:
    probe_and_keep(config)
    first = CapabilityResult.objects.get(capability="directory")
    peer.answer("department/simplelist", refusal(48002))
    probe_and_keep(config)
    second = CapabilityResult.objects.get(capability="directory")
    assert CapabilityResult.objects.count() == len(Capability)
    assert (first.ok, second.ok, second.errcode) == (True, False, 48002)
    assert second.checked_at > first.checked_at


def test_what_was_found_of_an_app_that_was_saved_or_deleted_meanwhile_is_not_kept(config: WeComConfig) -> None:
    asked = WeComConfig.objects.get()
    config.secret = "another"
    config.save()
    assert all(one.ok is not False for one in probe_and_keep(asked))
    assert not CapabilityResult.objects.exists()
    asked = WeComConfig.objects.get()
    config.delete()
    probe_and_keep(asked)
    assert not CapabilityResult.objects.exists()


def test_no_result_holds_a_secret(config: WeComConfig, peer: Peer) -> None:
    peer.answer("department/simplelist", refusal(48002, "no right for token-1"))
    probe_and_keep(config)
    assert "token-1" not in str(list(CapabilityResult.objects.values()))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_each_capability_says_where_in_the_console(language: str) -> None:
    with translation.override(language):
        assert set(PLACES) == set(Capability)
        assert all("→" in str(place) for place in PLACES.values())
