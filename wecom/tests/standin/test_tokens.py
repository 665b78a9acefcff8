"""Access tokens, as doc 91039 has them."""

from __future__ import annotations

from wecom.standin.limits import WRONG_SECRETS_PER_HOUR
from wecom.tests.standin.conftest import Clock, Standin


def test_the_same_token_is_given_again_while_it_lives(standin: Standin) -> None:
    first = standin.gettoken()
    assert first["expires_in"] == 7200
    assert standin.gettoken()["access_token"] == first["access_token"]
    assert standin.get("stats")["gettoken"] == 2


def test_a_wrong_secret_is_refused_with_a_hint(standin: Standin) -> None:
    answer = standin.gettoken("guess")
    assert answer["errcode"] == 40001
    assert "hint: [" in answer["errmsg"]


def test_a_storm_of_wrong_secrets_bans_the_address_for_an_hour(standin: Standin, clock: Clock) -> None:
    answers = [standin.gettoken("guess")["errcode"] for _ in range(WRONG_SECRETS_PER_HOUR + 1)]
    assert answers == [40001] * WRONG_SECRETS_PER_HOUR + [45009]
    assert standin.gettoken()["errcode"] == 45009
    clock.ahead = 3601
    assert standin.gettoken()["errcode"] == 0


def test_missing_and_foreign_parameters_have_codes_of_their_own(standin: Standin) -> None:
    def ask(**parameters: str) -> int:
        return int(
            standin.session.get(f"{standin.url}/cgi-bin/gettoken", params=parameters, timeout=10).json()["errcode"]
        )

    assert ask() == 41002
    assert ask(corpid="wwfacade0123456789") == 41004
    assert ask(corpid="wwother", corpsecret="standin-secret") == 40013


def test_a_token_is_missing_unknown_invalidated_or_expired(standin: Standin, clock: Clock) -> None:
    token = standin.gettoken()["access_token"]
    assert standin.call("getcallbackip", token="")["errcode"] == 41001
    assert standin.call("getcallbackip", token="made-up")["errcode"] == 40014
    assert standin.call("getcallbackip", token=token)["errcode"] == 0

    assert standin.post("tokens/end", state="invalid") == {"ended": 1}
    assert standin.call("getcallbackip", token=token)["errcode"] == 40014

    second = standin.gettoken()["access_token"]
    assert second != token
    standin.post("tokens/end", state="expired")
    answer = standin.call("getcallbackip", token=second)
    assert (answer["errcode"], answer["ip_list"]) == (42001, [])

    third = standin.gettoken()["access_token"]
    clock.ahead = 7201
    assert standin.call("getcallbackip", token=third)["errcode"] == 42001
