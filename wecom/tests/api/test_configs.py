"""The WeCom apps over REST: secrets only go in, nothing that is needed goes away, and a test tells what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from config.sealed import MASK
from config.testing.people import client_of, staff
from wecom.configs import credentials_for, forget_credentials
from wecom.models import CapabilityResult, Member, WeComConfig
from wecom.probe import probe_and_keep
from wecom.tests.inbound import make_config
from wecom.tests.peers import Peer
from wecom.tests.probing import grant_everything, refusal
from wecom.tests.vectors import AES_KEY, OTHER_AES_KEY, OTHER_TOKEN, TOKEN

pytestmark = pytest.mark.django_db

URL = "/api/wework/config"
GIVEN: dict[str, Any] = {
    "corpId": "ww0123456789abcdef",
    "corpSecret": "canary-secret-77",
    "agentId": 1000077,
    "token": TOKEN,
    "encodingAesKey": AES_KEY,
    "enabled": True,
}
RIGHTS = [f"wecom.{verb}_wecomconfig" for verb in ("add", "view", "change", "delete")]


@pytest.fixture
def client() -> Any:
    return client_of(staff(*RIGHTS))


def created(client: Any, **changes: Any) -> dict[str, Any]:
    response = client.post(URL, {**GIVEN, **changes}, format="json")
    assert response.status_code == 201, response.json()
    answer: dict[str, Any] = response.json()
    return answer


def ciphertext(column: str = "secret") -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM wecom_wecomconfig")  # noqa: S608 - names of this module
        return str(cursor.fetchone()[0])


class TestCreating:
    def test_the_contracts_six_fields_are_enough(self, client: Any) -> None:
        answer = created(client)
        row = WeComConfig.objects.get()
        assert (row.corp_id, row.agent_id, row.enabled) == ("ww0123456789abcdef", 1000077, True)
        secrets = (row.secret, row.callback_token, row.encoding_aes_key)
        assert [secret.reveal() for secret in secrets] == ["canary-secret-77", TOKEN, AES_KEY]
        assert row.slug == "app-1000077"
        assert answer["id"] == row.pk
        assert answer["callbackUrl"].endswith("/wecom/callback/app-1000077")

    def test_secrets_never_come_out(self, client: Any) -> None:
        answer = created(client, contactSecret="canary-contact")
        shown = {name: answer[name] for name in ("corpSecret", "token", "encodingAesKey", "contactSecret", "nextToken")}
        assert shown == {**dict.fromkeys(shown, MASK), "nextToken": ""}
        everywhere = "".join(client.get(url).content.decode() for url in (URL, f"{URL}/{answer['id']}"))
        assert not [secret for secret in ("canary", TOKEN, AES_KEY) if secret in everywhere]

    def test_the_agent_id_may_be_written_as_text(self, client: Any) -> None:
        assert created(client, agentId="1000078")["agentId"] == 1000078

    def test_two_apps_of_one_agent_id_get_different_slugs(self, client: Any) -> None:
        assert [created(client)["slug"] for _number in range(3)] == ["app-1000077", "app-1000077-2", "app-1000077-3"]

    def test_the_default_mark_moves(self, client: Any) -> None:
        first = created(client, isDefault=True)
        created(client, isDefault=True)
        assert client.get(f"{URL}/{first['id']}").json()["isDefault"] is False
        assert [one["isDefault"] for one in client.get(URL).json()["configs"]] == [True, False]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"corpId": ""}, "corpId"),
            ({"corpSecret": ""}, "corpSecret"),
            ({"corpSecret": MASK}, "corpSecret"),
            ({"corpSecret": None}, "corpSecret"),
            ({"agentId": "12x"}, "agentId"),
            ({"agentId": -1}, "agentId"),
            ({"agentId": True}, "agentId"),
            ({"agentId": 2**63}, "agentId"),
            ({"token": "with blanks"}, "token"),
            ({"token": "x" * 33}, "token"),
            ({"encodingAesKey": "short"}, "encodingAesKey"),
            ({"nextEncodingAesKey": "short"}, "nextEncodingAesKey"),
            ({"enabled": "yes"}, "enabled"),
            ({"slug": "not a slug"}, "slug"),
            ({"corpID": "ww1"}, "corpID"),
        ],
    )
    def test_bad_input_names_the_field_and_writes_nothing(
        self, client: Any, changes: dict[str, Any], field: str
    ) -> None:
        response = client.post(URL, {**GIVEN, **changes}, format="json")
        assert response.status_code == 400
        assert list(response.json()) == [field]
        assert not WeComConfig.objects.exists()

    @pytest.mark.parametrize("field", ["corpId", "corpSecret", "agentId"])
    def test_what_is_needed(self, client: Any, field: str) -> None:
        given = {name: value for name, value in GIVEN.items() if name != field}
        response = client.post(URL, given, format="json")
        assert (response.status_code, list(response.json())) == (400, [field])

    def test_a_slug_that_is_taken(self, client: Any) -> None:
        created(client, slug="sales")
        response = client.post(URL, {**GIVEN, "slug": "sales"}, format="json")
        assert (response.status_code, list(response.json())) == (400, ["slug"])


class TestChanging:
    def test_what_was_read_may_be_sent_back_as_it_is(self, client: Any) -> None:
        answer = created(client, nextToken=OTHER_TOKEN, nextEncodingAesKey=OTHER_AES_KEY)
        before = ciphertext()
        response = client.put(f"{URL}/{answer['id']}", {**answer, "name": "Sales"}, format="json")
        assert response.status_code == 200, response.json()
        row = WeComConfig.objects.get()
        assert (row.name, ciphertext()) == ("Sales", before)
        assert (row.callback_token.reveal(), row.next_callback_token.reveal()) == (TOKEN, OTHER_TOKEN)

    def test_what_is_left_out_stays(self, client: Any) -> None:
        answer = created(client)
        client.put(f"{URL}/{answer['id']}", {"enabled": False}, format="json")
        row = WeComConfig.objects.get()
        assert (row.enabled, row.corp_id, row.secret.reveal()) == (False, GIVEN["corpId"], "canary-secret-77")

    def test_new_credentials_are_used_at_once(self, client: Any) -> None:
        forget_credentials()
        answer = created(client, isDefault=True)
        assert credentials_for("").secondary is None
        client.put(f"{URL}/{answer['id']}", {"nextToken": OTHER_TOKEN}, format="json")
        assert credentials_for("").secondary is not None
        forget_credentials()

    def test_the_sync_assistants_pair(self, client: Any) -> None:
        answer = created(client, contactToken=OTHER_TOKEN, contactEncodingAesKey=OTHER_AES_KEY)
        assert (answer["contactToken"], answer["contactEncodingAesKey"]) == (MASK, MASK)
        row = WeComConfig.objects.get()
        assert (row.contact_callback_token.reveal(), row.contact_encoding_aes_key.reveal()) == (
            OTHER_TOKEN,
            OTHER_AES_KEY,
        )
        response = client.put(f"{URL}/{answer['id']}", {"contactToken": "not ok"}, format="json")
        assert (response.status_code, list(response.json())) == (400, ["contactToken"])
        assert client.put(f"{URL}/{answer['id']}", {"contactToken": ""}, format="json").json()["contactToken"] == ""

    def test_an_empty_secret_is_removed_but_not_the_apps_own(self, client: Any) -> None:
        url = f"{URL}/{created(client)['id']}"
        assert client.put(url, {"token": "", "encodingAesKey": ""}, format="json").json()["token"] == ""
        assert client.put(url, {"corpSecret": ""}, format="json").status_code == 400
        assert WeComConfig.objects.get().secret.reveal() == "canary-secret-77"

    def test_one_that_cannot_be_opened_keeps_its_ciphertext(self, client: Any, settings: Settings) -> None:
        url = f"{URL}/{created(client)['id']}"
        before = [ciphertext(column) for column in ("secret", "callback_token")]
        settings.FIELD_ENCRYPTION_KEYS = ["YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="]
        answer = client.get(url)
        assert (answer.status_code, answer.json()["corpSecret"]) == (200, MASK)
        response = client.put(url, {**answer.json(), "name": "Renamed"}, format="json")
        assert (response.status_code, response.json()["name"]) == (200, "Renamed")
        assert [ciphertext(column) for column in ("secret", "callback_token")] == before
        client.put(url, {"token": OTHER_TOKEN}, format="json")
        assert ciphertext("secret") == before[0]
        assert WeComConfig.objects.get().callback_token.reveal() == OTHER_TOKEN

    def test_what_was_found_about_other_credentials_is_forgotten(
        self, client: Any, app: WeComConfig, peer: Peer
    ) -> None:
        app.save()
        grant_everything(peer)
        probe_and_keep(app)
        client.put(f"{URL}/{app.pk}", {"name": "Renamed"}, format="json")
        assert CapabilityResult.objects.exists()
        client.put(f"{URL}/{app.pk}", {"corpSecret": "another"}, format="json")
        assert not CapabilityResult.objects.exists()


class TestDeleting:
    def test_an_app_that_nothing_needs(self, client: Any) -> None:
        url = f"{URL}/{created(client)['id']}"
        assert client.delete(url).status_code == 204
        assert client.get(url).status_code == 404

    def test_one_that_is_needed_stays_and_says_by_what(self, client: Any) -> None:
        config = make_config()
        Member.objects.create(config=config, userid="li.mei", name="李梅")
        response = client.delete(f"{URL}/{config.pk}")
        assert response.status_code == 409
        assert response.json() == {
            "code": "in_use",
            "detail": "This app is needed by 1 member. Disable it instead of deleting it.",
        }
        assert Member.objects.exists()

    def test_findings_go_with_it(self, client: Any, app: WeComConfig, peer: Peer) -> None:
        app.save()
        grant_everything(peer)
        probe_and_keep(app)
        assert client.delete(f"{URL}/{app.pk}").status_code == 204


class TestTesting:
    def test_a_stored_app_is_probed_and_what_was_found_is_kept(self, client: Any, app: WeComConfig, peer: Peer) -> None:
        app.save()
        grant_everything(peer)
        peer.answer("externalcontact/get_follow_user_list", refusal(84074))
        answer = client.post(f"{URL}/test", {"id": app.pk}, format="json").json()
        assert (answer["success"], answer["message"]) == (True, "The connection works.")
        customers = next(one for one in answer["capabilities"] if one["capability"] == "customers")
        assert (customers["ok"], customers["errcode"]) == (False, 84074)
        assert "可调用接口的应用" in customers["place"] and customers["remedy"]
        kept = client.get(f"{URL}/{app.pk}").json()["capabilities"]
        assert [one["capability"] for one in kept] == [one["capability"] for one in answer["capabilities"]]

    def test_credentials_before_they_are_stored(self, client: Any, peer: Peer) -> None:
        grant_everything(peer)
        given = {"corpId": "ww9", "corpSecret": "not-stored", "agentId": 7}
        answer = client.post(f"{URL}/test", given, format="json").json()
        assert answer["success"] is True
        assert peer.calls("gettoken")[0].query == {"corpid": "ww9", "corpsecret": "not-stored"}
        assert not WeComConfig.objects.exists() and not CapabilityResult.objects.exists()

    def test_another_secret_for_a_stored_app_is_tried_and_not_saved(
        self, client: Any, app: WeComConfig, peer: Peer
    ) -> None:
        app.save()
        peer.answer("gettoken", refusal(40001))
        answer = client.post(f"{URL}/test", {"id": app.pk, "corpSecret": "mistyped"}, format="json").json()
        assert (answer["success"], answer["capabilities"][0]["errcode"]) == (False, 40001)
        assert "mistyped" not in str(answer) and answer["remedy"]
        assert WeComConfig.objects.get().secret.reveal() != "mistyped"
        assert not CapabilityResult.objects.exists()

    def test_the_mask_means_the_stored_secret(self, client: Any, app: WeComConfig, peer: Peer) -> None:
        app.save()
        grant_everything(peer)
        answer = client.post(f"{URL}/test", {"id": app.pk, "corpSecret": MASK}, format="json").json()
        assert answer["success"] is True

    @pytest.mark.parametrize(
        ("given", "fields"),
        [
            ({}, {"corpId", "corpSecret", "agentId"}),
            ({"corpId": "ww1", "corpSecret": MASK, "agentId": 1}, {"corpSecret"}),
            ({"id": "1"}, {"id"}),
        ],
    )
    def test_bad_input(self, client: Any, given: dict[str, Any], fields: set[str]) -> None:
        response = client.post(f"{URL}/test", given, format="json")
        assert (response.status_code, set(response.json())) == (400, fields)

    def test_an_app_that_is_not_there(self, client: Any) -> None:
        assert client.post(f"{URL}/test", {"id": 999}, format="json").status_code == 404


class TestRights:
    @pytest.mark.parametrize(
        ("method", "path", "right"),
        [
            ("get", "", "view"),
            ("post", "", "add"),
            ("get", "/{id}", "view"),
            ("put", "/{id}", "change"),
            ("delete", "/{id}", "delete"),
            ("post", "/test", "change"),
        ],
    )
    def test_each_operation_has_its_own(self, method: str, path: str, right: str) -> None:
        config = make_config()
        url = URL + path.format(id=config.pk)
        others = [one for one in RIGHTS if right not in one and not (right == "view" and "change" in one)]
        if path == "/test":
            others.remove("wecom.add_wecomconfig")
        stranger = client_of(staff(*others, name="mallory"))
        assert getattr(stranger, method)(url, {}, format="json").status_code == 403
        allowed = client_of(staff(f"wecom.{right}_wecomconfig"))
        assert getattr(allowed, method)(url, {}, format="json").status_code in (200, 204, 400)
