"""One token for everybody: single flight over processes, renewal, comparison, breaker."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from wecom import transport
from wecom.errors import PermanentError, QuotaError, RetryableError, WeComError
from wecom.models import WeComConfig
from wecom.redis import redis
from wecom.tests.conftest import CANARY_SECRET
from wecom.tests.peers import Hang, Received, refused_url
from wecom.tokens import TokenStore

FORK = multiprocessing.get_context("fork")


def token_answer(token: str = "token-1", expires_in: int = 7200) -> dict:
    return {"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": expires_in}


def refusal(errcode: int) -> dict:
    return {"errcode": errcode, "errmsg": f"invalid credential {CANARY_SECRET}, hint: [1_2_3], from ip: 203.0.113.9"}


def numbered_tokens(expires_in: int = 7200) -> Callable[[Received], dict]:
    """Every gettoken gives another token."""
    lock, count = threading.Lock(), iter(range(1, 1000))

    def answer(_request: Received) -> dict:
        with lock:
            return token_answer(f"token-{next(count)}", expires_in)

    return answer


def in_processes(work: Callable[[], object], processes: int = 8, threads: int = 2) -> list[object]:
    """Run ``work`` in processes × threads that start together, and return what each returned (or raised, as text)."""
    results, barrier = FORK.SimpleQueue(), FORK.Barrier(processes * threads)

    def one(_number: int) -> object:
        barrier.wait(30)
        try:
            return work()
        except WeComError as error:
            return f"{type(error).__name__} {error.errcode}"

    def process() -> None:
        with ThreadPoolExecutor(threads) as pool:
            for result in pool.map(one, range(threads)):
                results.put(result)

    started = [FORK.Process(target=process) for _number in range(processes)]
    for child in started:
        child.start()
    found = [results.get() for _number in range(processes * threads)]
    for child in started:
        child.join(30)
    return found


def key_of(store: TokenStore) -> str:
    return store._key


def test_a_token_is_asked_for_once_and_kept_for_as_long_as_it_lives(peer, app):
    store = TokenStore(app)
    assert [store.get(), store.get(), TokenStore(app).get()] == ["token-1"] * 3
    (request,) = peer.calls("gettoken")
    assert request.query == {"corpid": "wwcorp", "corpsecret": CANARY_SECRET}
    assert 7100 < store.remaining() <= 7200
    assert redis().ttl(key_of(store)) > 7100


@pytest.mark.parametrize(("processes", "threads"), [(16, 1), (8, 2)])
def test_sixteen_callers_cost_one_gettoken(peer, app, processes, threads):
    peer.answer("gettoken", numbered_tokens())
    assert in_processes(lambda: TokenStore(app).get(), processes, threads) == ["token-1"] * 16
    assert len(peer.calls("gettoken")) == 1


def test_apps_do_not_share_a_token(peer, app):
    peer.answer("gettoken", numbered_tokens())
    other = WeComConfig(slug=f"{app.slug}-2", corp_id=app.corp_id, agent_id=1000003, secret="another-secret")
    assert TokenStore(app).get() != TokenStore(other).get()


def test_only_the_token_that_failed_is_dropped(peer, app):
    peer.answer("gettoken", numbered_tokens())
    store = TokenStore(app)
    first = store.get()
    store.drop("another token")
    assert store.get() == first
    store.drop(first)
    assert store.get() == "token-2"
    store.drop(first)  # a straggler that saw the old one refused
    assert store.get() == "token-2"


def test_a_token_near_its_end_is_renewed_in_passing(peer, app):
    peer.answer("gettoken", numbered_tokens())
    store = TokenStore(app)
    store.get()
    redis().expire(key_of(store), 299)
    assert store.get() == "token-2"
    assert store.remaining() > 7000


def test_a_short_lived_token_is_not_renewed_at_every_call(peer, app):
    peer.answer("gettoken", numbered_tokens(expires_in=120))
    store = TokenStore(app)
    assert [store.get() for _number in range(3)] == ["token-1"] * 3


def test_while_wecom_is_away_an_old_token_still_serves(peer, app):
    store = TokenStore(app)
    store.get()
    redis().expire(key_of(store), 200)
    peer.answer("gettoken", {"errcode": -1, "errmsg": "system busy"})
    assert [store.get(), store.get()] == ["token-1"] * 2
    assert len(peer.calls("gettoken")) == 2  # the second time the breaker answered


def test_the_schedule_renews_what_ends_soon(peer, app):
    peer.answer("gettoken", numbered_tokens())
    store = TokenStore(app)
    assert store.refresh_if_below(1800) is True
    assert store.refresh_if_below(1800) is False
    redis().expire(key_of(store), 1700)
    assert store.refresh_if_below(1800) is True
    assert store.get() == "token-2"


@pytest.mark.parametrize("errcode", [40001, 40013, 40091, 41002, 60020])
def test_a_refused_secret_is_not_tried_again_by_anybody(peer, app, errcode):
    peer.answer("gettoken", refusal(errcode))
    assert in_processes(lambda: TokenStore(app).get(), processes=4) == [f"PermanentError {errcode}"] * 8
    assert len(peer.calls("gettoken")) == 1


def test_the_schedule_does_not_ask_while_the_breaker_is_open(peer, app):
    peer.answer("gettoken", refusal(40001))
    for _attempt in range(2):
        with pytest.raises(PermanentError):
            TokenStore(app).refresh_if_below(1800)
    assert len(peer.calls("gettoken")) == 1


def test_another_secret_is_tried_at_once(peer, app):
    peer.answer("gettoken", refusal(40001), token_answer("token-9"))
    with pytest.raises(PermanentError):
        TokenStore(app).get()
    app.secret = "the right one"
    assert TokenStore(app).get() == "token-9"


def test_a_refused_secret_appears_nowhere(peer, app, caplog):
    caplog.set_level("DEBUG")
    peer.answer("gettoken", refusal(40001))
    for _attempt in range(2):  # from WeCom, and from the breaker
        with pytest.raises(PermanentError) as caught:
            TokenStore(app).get()
        assert CANARY_SECRET not in str(caught.value) + repr(caught.value) + repr(vars(caught.value))
    assert "hint 1_2_3" in str(caught.value)
    assert caplog.text
    assert CANARY_SECRET not in caplog.text
    kept = [str(redis().get(key)) for key in redis().scan_iter(f"wecom:{app.corp_id}:{app.slug}:*")]
    assert any("40001" in value for value in kept)
    assert not any(CANARY_SECRET in value for value in kept)


def test_a_blocked_address_is_left_alone_for_an_hour(peer, app):
    peer.answer("gettoken", refusal(45009))
    for _attempt in range(2):
        with pytest.raises(QuotaError) as caught:
            TokenStore(app).get()
        assert caught.value.retry_after == pytest.approx(3600, abs=10)
    assert len(peer.calls("gettoken")) == 1


def test_a_silent_server_costs_all_waiting_processes_one_time_out(peer, app, monkeypatch):
    monkeypatch.setattr(transport, "READ_SECONDS", 0.3)
    peer.answer("gettoken", Hang())
    assert in_processes(lambda: TokenStore(app).get(), processes=4) == ["RetryableError None"] * 8
    assert len(peer.calls("gettoken")) == 1


def test_an_answer_without_a_token_is_no_token(peer, app):
    peer.answer("gettoken", {"errcode": 0, "errmsg": "ok"})
    with pytest.raises(RetryableError):
        TokenStore(app).get()
    assert redis().exists(key_of(TokenStore(app))) == 0


def test_the_lock_of_a_dead_process_ends_by_itself_and_nobody_else_opens_it(peer, app):
    store = TokenStore(app)
    redis().set(store._lock_key, "a process that is gone", px=300)
    assert store.get() == "token-1"
    redis().set(store._lock_key, "another process", px=60_000)
    assert store.refresh_if_below(10_000) is False
    assert redis().get(store._lock_key) == "another process"


def test_a_secret_that_cannot_be_opened_is_said_in_a_sentence(app, settings):
    sealed = WeComConfig._meta.get_field("secret").get_prep_value(app.secret)
    app.secret = WeComConfig._meta.get_field("secret").from_db_value(sealed, None, None)
    settings.FIELD_ENCRYPTION_KEYS = ["B" * 43 + "="]
    with pytest.raises(PermanentError, match="FIELD_ENCRYPTION_KEYS"):
        TokenStore(app)


def test_without_redis_there_is_no_token_and_no_call(peer, app, settings):
    settings.REDIS_URL = refused_url().replace("http://", "redis://")
    with pytest.raises(RetryableError):
        TokenStore(app).get()
    assert peer.received == []


def test_asking_anew_asks_whatever_is_cached_and_keeps_what_comes(peer, app):
    peer.answer("gettoken", numbered_tokens())
    store = TokenStore(app)
    store.get()
    assert [store.ask_anew(), store.get()] == ["token-2", "token-2"]


def test_asking_anew_finds_a_secret_that_is_no_longer_right_and_the_old_token_still_serves(peer, app):
    store = TokenStore(app)
    store.get()
    peer.answer("gettoken", refusal(40001))
    for _attempt in range(2):
        with pytest.raises(PermanentError) as caught:
            store.ask_anew()
        assert caught.value.errcode == 40001
    assert len(peer.calls("gettoken")) == 2  # the breaker answered the second time
    assert store.get() == "token-1"
