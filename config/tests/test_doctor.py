"""The doctor: every check fails with a remedy when its part is broken, and the exit status says so."""

from __future__ import annotations

import io
import logging
import os
import socket

import pytest
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from approvals import doctor as approvals_doctor
from config import doctor
from config.doctor import Result, examine, failed, passed, register_check
from config.environment import Problem
from config.heartbeat import beat_heart
from wecom import doctor as wecom_doctor
from wecom.models import WeComConfig
from wecom.tests.peers import Close, Peer, Raw, Received, refused_url
from wecom.tests.vectors import AES_KEY, CORP_ID, TOKEN


def ask(name: str) -> Result:
    """The result of one registered check."""
    return doctor._registered[name].check()


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch):
    """An empty list of checks, to be filled by the test."""
    monkeypatch.setattr(doctor, "_registered", {})


def run() -> str:
    out = io.StringIO()
    call_command("doctor", stdout=out, no_color=True)
    return out.getvalue()


class TestCommand:
    def test_one_line_each_in_their_order(self, only):
        register_check("b", "Second", lambda: passed("runs"), place=2)
        register_check("a", "First", lambda: passed("answers"), place=1)
        assert [line.split() for line in run().splitlines()][:2] == [
            ["ok", "First:", "answers"],
            ["ok", "Second:", "runs"],
        ]

    def test_a_failure_has_its_remedy_below_and_ends_with_status_1(self, only, capsys):
        register_check("a", "First", lambda: failed("is away", "Start it."), place=1)
        register_check("b", "Second", lambda: passed("runs"), place=2)
        out = io.StringIO()
        with pytest.raises(CommandError) as caught:
            call_command("doctor", stdout=out, no_color=True)
        assert caught.value.returncode == 1
        lines = [line.strip() for line in out.getvalue().splitlines()]
        assert lines[0].endswith("First: is away")
        assert lines[1] == "→ Start it."
        assert lines[2].startswith("ok")

    def test_a_check_that_breaks_is_a_failure_and_the_rest_still_runs(self, only):
        def broken() -> Result:
            raise RuntimeError("surprise")

        register_check("a", "First", broken, place=1)
        register_check("b", "Second", lambda: passed("runs"), place=2)
        results = [result for _title, result in examine()]
        assert [result.ok for result in results] == [False, True]
        assert "surprise" in str(results[0].sentence)

    def test_errors_are_one_line(self, only):
        def broken() -> Result:
            raise RuntimeError("first\n\tsecond")

        register_check("a", "First", broken, place=1)
        assert next(examine())[1].sentence == "RuntimeError: first second"

    @pytest.mark.parametrize("error", [OperationalError, InterfaceError])
    def test_a_check_that_meets_no_database_says_so(self, only, error: type[Exception]):
        def broken() -> Result:
            raise error("connection failed: ...\n\tIs the server running on that host?")

        register_check("a", "First", broken, place=1)
        result = next(examine())[1]
        assert "Is the server running" not in str(result.sentence)
        assert error.__name__ in str(result.sentence)
        assert "DATABASE_URL" in str(result.remedy)

    def test_news_of_the_log_stay_out_of_the_list_but_warnings_do_not(self, only, caplog: pytest.LogCaptureFixture):
        def chatty() -> Result:
            logging.getLogger("wecom.transport").info("a call")
            logging.getLogger("wecom.transport").warning("a refused call")
            return passed("fine")

        caplog.set_level(logging.INFO)
        register_check("a", "First", chatty, place=1)
        run()
        assert caplog.messages == ["a refused call"]
        logging.getLogger("wecom.transport").info("afterwards")
        assert "afterwards" in caplog.messages

    def test_the_whole_checklist_of_the_design_is_registered(self):
        by_place = sorted(doctor._registered, key=lambda name: doctor._registered[name].place)
        assert by_place == [
            *("settings", "database", "keys", "redis", "worker", "beat"),
            *("wecom.clock", "wecom.token", "wecom.address"),
            *("approvals.template", "approvals.forms", "approvals.outgoing"),
            *("wecom.callback", "approvals.arrivals", "wecom.login"),
            *("wecom.rights", "wecom.reading", "wecom.directory"),
            *("projects.libraries", "projects.last_run", "projects.schedule"),
        ]


class TestGround:
    def test_a_wrong_setting_is_named(self, settings: Settings):
        assert ask("settings").ok
        settings.PROBLEMS = [Problem("SECRET_KEY", "SECRET_KEY is missing.", "Write a .env.")]
        result = ask("settings")
        assert (result.ok, result.sentence, result.remedy) == (False, "SECRET_KEY is missing.", "Write a .env.")

    @pytest.mark.django_db
    def test_the_database_is_asked_for_its_migrations(self):
        assert ask("database").ok

    def test_a_database_that_is_away(self, django_db_blocker: DjangoDbBlocker):
        with django_db_blocker.block():  # any access raises, as a driver does
            result = ask("database")
        assert not result.ok
        assert "DATABASE_URL" in str(result.remedy)

    def test_redis_worker_and_beat(self, settings: Settings, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("config.heartbeat._last_beat", {})
        assert (ask("redis").ok, ask("worker").ok, ask("beat").ok) == (True, False, False)
        beat_heart("worker")
        beat_heart("beat")
        assert (ask("worker").ok, ask("beat").ok) == (True, True)
        settings.REDIS_URL = refused_url().replace("http", "redis")
        for name in ("redis", "worker", "beat"):
            result = ask(name)
            assert not result.ok
            assert "REDIS_URL" in str(result.remedy)


@pytest.fixture
def peer(settings: Settings):
    server = Peer()
    settings.WECOM_API_BASE_URL = server.url
    yield server
    server.close()


@pytest.fixture
def app(db: None) -> WeComConfig:
    return WeComConfig.objects.create(
        slug="default",
        name="app",
        corp_id=CORP_ID,
        agent_id=1000002,
        secret=f"secret-{os.getpid()}",
        callback_token=TOKEN,
        encoding_aes_key=AES_KEY,
        template_id="TplQuoteDemo",
        is_default=True,
    )


@pytest.mark.django_db
class TestWithoutAnApp:
    @pytest.mark.parametrize("check", [wecom_doctor.token, wecom_doctor.trusted_address, wecom_doctor.callback])
    def test_says_where_to_set_one_up(self, check):
        result = check()
        assert not result.ok
        assert "WECOM_CORP_ID" in str(result.remedy)


class TestWeCom:
    def test_a_token(self, peer: Peer, app: WeComConfig):
        assert wecom_doctor.token().ok

    def test_a_wrong_secret(self, peer: Peer, app: WeComConfig):
        peer.answer("gettoken", {"errcode": 40001, "errmsg": "invalid credential"})
        result = wecom_doctor.token()
        assert not result.ok
        assert result.remedy

    def test_an_address_that_wecom_does_not_trust_is_told(self, peer: Peer, app: WeComConfig):
        peer.answer(
            "getcallbackip", {"errcode": 60020, "errmsg": "not allow to access from your ip, from ip: 203.0.113.7"}
        )
        result = wecom_doctor.trusted_address()
        assert not result.ok
        assert "203.0.113.7" in str(result.remedy)
        peer.answer("getcallbackip", {"errcode": 0, "ip_list": []})
        assert wecom_doctor.trusted_address().ok

    def test_the_clock(self, peer: Peer):
        peer.answer("/", Raw(404))  # the test server's Date is this machine's
        assert wecom_doctor.clock().ok

    def test_a_clock_that_is_wrong_by_minutes(self, settings: Settings):
        with Dated("Mon, 05 Jan 2026 08:00:00 GMT") as url:
            settings.WECOM_API_BASE_URL = url
            result = wecom_doctor.clock()
        assert not result.ok
        assert "NTP" in str(result.remedy)

    def test_a_host_that_is_away(self, settings: Settings):
        settings.WECOM_API_BASE_URL = refused_url()
        assert "WECOM_API_BASE_URL" in str(wecom_doctor.clock().remedy)


class Dated:
    """A server that answers once, with the given Date."""

    def __init__(self, date: str) -> None:
        self._date = date
        self._socket = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> str:
        import threading

        threading.Thread(target=self._answer, daemon=True).start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _answer(self) -> None:
        connection, _address = self._socket.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(f"HTTP/1.1 404 Not Found\r\nDate: {self._date}\r\nContent-Length: 0\r\n\r\n".encode())

    def __exit__(self, *_error: object) -> None:
        self._socket.close()


class TestCallback:
    @pytest.fixture(autouse=True)
    def _own_credentials(self):
        from wecom.configs import forget_credentials

        forget_credentials()
        yield
        forget_credentials()

    @pytest.mark.django_db(transaction=True)
    def test_the_real_view_passes_through_a_real_socket(self, app, live_server, settings: Settings):
        settings.WECOM_API_BASE_URL = "https://wecom.standin.example"  # the real one could not call this machine
        settings.WECOM_CALLBACK_URL = f"{live_server.url}/wecom/callback"
        result = wecom_doctor.callback()
        assert result.ok, result

    @pytest.mark.parametrize("answer", [Raw(403), Raw(200, b"something else"), Close()])
    def test_an_address_that_answers_wrong(self, app, peer: Peer, settings: Settings, answer):
        peer.answer("/wecom/callback", answer)
        settings.WECOM_CALLBACK_URL = f"{peer.url}/wecom/callback"
        result = wecom_doctor.callback()
        assert not result.ok
        assert result.remedy

    def test_bytes_around_the_text_fail(self, app, peer: Peer, settings: Settings):
        """A proxy that adds a newline breaks WeCom's verification."""
        from wecom.crypto import CallbackCrypto

        crypto = CallbackCrypto(TOKEN, AES_KEY, CORP_ID)

        def echo(request: Received) -> Raw:
            return Raw(200, crypto.decrypt(request.query["echostr"]) + b"\n")

        peer.answer("/wecom/callback", echo)
        settings.WECOM_CALLBACK_URL = f"{peer.url}/wecom/callback"
        assert not wecom_doctor.callback().ok

    def test_without_credentials(self, app, settings: Settings):
        app.callback_token = ""
        app.save()
        result = wecom_doctor.callback()
        assert not result.ok
        assert "EncodingAESKey" in str(result.remedy)


class TestTemplate:
    CONTROL = {"control": "Text", "id": "Text-01", "title": [{"text": "审批编号", "lang": "zh_CN"}], "require": 1}

    def template(self, *controls: dict[str, object]) -> dict[str, object]:
        return {
            "errcode": 0,
            "template_names": [{"text": "报价审批", "lang": "zh_CN"}],
            "template_content": {"controls": [{"property": control} for control in controls]},
        }

    def test_complete(self, peer: Peer, app: WeComConfig):
        peer.answer("oa/gettemplatedetail", self.template(self.CONTROL))
        assert approvals_doctor.templates().ok

    def test_a_required_control_that_nothing_fills(self, peer: Peer, app: WeComConfig):
        extra = {"control": "Text", "id": "Text-02", "title": [{"text": "成本中心", "lang": "zh_CN"}], "require": 1}
        peer.answer("oa/gettemplatedetail", self.template(self.CONTROL, extra))
        result = approvals_doctor.templates()
        assert not result.ok
        assert "成本中心" in str(result.sentence)

    def test_a_template_that_does_not_exist(self, peer: Peer, app: WeComConfig):
        peer.answer("oa/gettemplatedetail", {"errcode": 301025, "errmsg": "invalid template_id"})
        assert not approvals_doctor.templates().ok

    def test_none_set(self, peer: Peer, app: WeComConfig):
        app.template_id = ""
        app.save()
        assert not approvals_doctor.templates().ok
