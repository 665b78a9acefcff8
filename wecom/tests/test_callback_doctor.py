"""The callback doctor against the real view, and against servers that misbehave in each way."""

from __future__ import annotations

import re
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from urllib.parse import urlencode

import pytest
import time_machine
from django.utils import timezone, translation
from pytest_django.fixtures import Settings

from wecom import callback_doctor, probe, signed_call
from wecom.callback import CallbackCredentials, open_callback, verify_echo
from wecom.configs import forget_credentials
from wecom.crypto import CallbackCrypto, CallbackError
from wecom.findings import Finding, words
from wecom.models import CallbackEvent, RefusedCallback, WeComConfig
from wecom.tests.inbound import make_config
from wecom.tests.peers import Close, Drip, Hang, Peer, Raw, Received, refused_url
from wecom.tests.vectors import AES_KEY, CORP_ID, OTHER_AES_KEY, OTHER_TOKEN, TOKEN

PATH = "/wecom/callback"
Proxy = Callable[[bytes], Raw]


@pytest.fixture(autouse=True)
def _credentials_of_its_own() -> Iterator[None]:
    forget_credentials()
    yield
    forget_credentials()


@pytest.fixture
def app(db: None, peer: Peer, settings: Settings) -> WeComConfig:
    settings.WECOM_CALLBACK_URL = f"{peer.url}{PATH}"
    return settled(make_config())


def settled(config: WeComConfig) -> WeComConfig:
    """Its credentials are known to every process by now."""
    config.updated_at = timezone.now() - timedelta(minutes=1)
    return config


def codes(config: WeComConfig) -> list[str]:
    return [finding.code for finding in callback_doctor.examine(config).findings]


def quotebridge(
    request: Received, *, token: str = TOKEN, key: str = AES_KEY, corp: str = CORP_ID, next_pair: bool = False
) -> Raw:
    """What a Quotebridge with these credentials answers, the view's own code behind a socket of the test."""
    crypto = CallbackCrypto(token, key, corp)
    credentials = CallbackCredentials(
        1, crypto, CallbackCrypto(OTHER_TOKEN, OTHER_AES_KEY, corp) if next_pair else None
    )
    now = timezone.now()
    try:
        if request.method == "GET":
            return Raw(200, verify_echo(credentials, request.query, now=now))
        open_callback(credentials, request.query, request.content, now=now)
    except CallbackError as error:
        return Raw(error.http_status, error.reason.encode())
    return Raw(200, b"success")


def changed(by: Callable[[bytes], bytes], *, method: str = "GET") -> Callable[[Received], Raw]:
    def answer(request: Received) -> Raw:
        raw = quotebridge(request)
        return Raw(raw.status, by(raw.content)) if request.method == method else raw

    return answer


class TestTheRealView:
    @pytest.fixture
    def app(self, transactional_db: None, live_server: object, settings: Settings) -> WeComConfig:
        settings.WECOM_API_BASE_URL = "http://standin.example"
        settings.WECOM_CALLBACK_URL = f"{live_server.url}{PATH}"  # type: ignore[attr-defined]
        settings.API_BASE_URL = live_server.url  # type: ignore[attr-defined]
        return settled(make_config())

    def test_it_passes_and_leaves_no_trace(self, app: WeComConfig) -> None:
        report = callback_doctor.examine(app)
        assert report.ok and [finding.code for finding in report.findings] == ["verified"]
        assert not CallbackEvent.objects.exists() and not RefusedCallback.objects.exists()

    def test_the_address_of_another_app(self, app: WeComConfig) -> None:
        other = settled(make_config("second", is_default=False, callback_token=OTHER_TOKEN))
        assert codes(other) == ["verified"]
        assert callback_doctor.examine(other).url.endswith("/wecom/callback/second")

    def test_both_pairs_during_a_rotation(self, app: WeComConfig) -> None:
        app.next_callback_token, app.next_encoding_aes_key = OTHER_TOKEN, OTHER_AES_KEY
        app.save()
        assert codes(settled(app)) == ["verified"]

    def test_the_pair_of_the_sync_assistant(self, app: WeComConfig) -> None:
        app.contact_callback_token = OTHER_TOKEN
        app.save()
        assert codes(settled(app)) == ["contact_half", "verified"]
        app.contact_encoding_aes_key = OTHER_AES_KEY
        app.save()
        assert codes(settled(app)) == ["verified"]

    def test_with_the_slash_too(self, app: WeComConfig, settings: Settings) -> None:
        settings.WECOM_CALLBACK_URL += "/"
        assert codes(app) == ["verified"]


class TestBeforeAnythingIsSent:
    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"callback_token": ""}, "no_credentials"),
            ({"encoding_aes_key": ""}, "no_credentials"),
            ({"encoding_aes_key": "too-short"}, "bad_key"),
            ({"enabled": False}, "disabled"),
        ],
    )
    def test_what_is_missing_here(self, app: WeComConfig, peer: Peer, changes: dict[str, object], code: str) -> None:
        for name, value in changes.items():
            setattr(app, name, value)
        assert codes(app) == [code]
        assert peer.received == []

    def test_secrets_that_cannot_be_opened(self, app: WeComConfig, settings: Settings) -> None:
        settings.FIELD_ENCRYPTION_KEYS = ["YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="]
        assert codes(WeComConfig.objects.get()) == ["sealed"]

    @pytest.mark.parametrize("host", ["127.0.0.1", "192.168.7.9", "localhost", "[::1]", "erp.internal"])
    def test_wecom_cannot_call_a_private_address(self, app: WeComConfig, settings: Settings, host: str) -> None:
        settings.WECOM_API_BASE_URL = "https://qyapi.weixin.qq.com"
        settings.WECOM_CALLBACK_URL = f"http://{host}:8000/wecom/callback"
        assert codes(app) == ["private"]

    def test_what_is_no_address(self, app: WeComConfig, settings: Settings) -> None:
        settings.WECOM_CALLBACK_URL = "quotes.example/wecom/callback"
        assert codes(app) == ["bad_url"]


class TestNoAnswer:
    def test_nobody_listens(self, app: WeComConfig, settings: Settings) -> None:
        settings.WECOM_CALLBACK_URL = refused_url() + PATH
        assert codes(app) == ["refused"]

    def test_a_name_that_does_not_exist(self, app: WeComConfig, settings: Settings) -> None:
        settings.WECOM_CALLBACK_URL = "http://quotes.invalid/wecom/callback"
        assert codes(app) == ["unknown_host"]

    def test_it_closes_without_a_word(self, app: WeComConfig, peer: Peer) -> None:
        peer.answer(PATH, Close())
        assert codes(app) == ["broken"]

    @pytest.mark.parametrize("script", [Hang(), Drip()])
    def test_it_never_ends(
        self, app: WeComConfig, peer: Peer, monkeypatch: pytest.MonkeyPatch, script: Hang | Drip
    ) -> None:
        monkeypatch.setattr(signed_call, "PATIENCE", 0.3)
        peer.answer(PATH, script)
        assert codes(app) == ["timeout"]

    def test_it_never_stops_talking(self, app: WeComConfig, peer: Peer) -> None:
        peer.answer(PATH, Raw(200, b"x" * (signed_call.MOST_ANSWER + 1)))
        assert codes(app) == ["something_else"]

    def test_a_certificate_that_nobody_signed(self, app: WeComConfig, settings: Settings, tmp_path: Path) -> None:
        with tls_server(tmp_path) as port:
            settings.WECOM_CALLBACK_URL = f"https://localhost:{port}{PATH}"
            (finding,) = callback_doctor.examine(app).findings
        assert (finding.code, finding.detail) == ("tls", "self-signed certificate")


class TestAnotherAnswer:
    @pytest.mark.parametrize(
        ("script", "code", "detail"),
        [
            (Raw(301, headers={"Location": "https://quotes.example/wecom/callback?msg_signature=x"}), "redirect", ""),
            (Raw(302, headers={"Location": "/admin/login/?next=/wecom/callback"}), "redirect", "302 → /admin/login/"),
            (Raw(301, headers={"Location": f"{PATH}/?msg_signature=x"}), "redirect_slash", ""),
            (Raw(401), "barred", "401"),
            (Raw(403, b"<html>Web Application Firewall</html>"), "barred", "403"),
            (Raw(404), "not_found", "404"),
            (Raw(502), "gateway", "502"),
            (Raw(500), "status", "500"),
            (Raw(200, b"<html>Welcome to nginx!</html>", {"Content-Type": "text/html"}), "something_else", "text/html"),
            (lambda request: Raw(200, request.query["echostr"].encode()), "raw_echo", ""),
            (changed(lambda echo: b'"' + echo + b'"'), "quotes", ""),
            (changed(lambda echo: b"'" + echo + b"'\n"), "quotes", ""),
            (changed(lambda echo: b"\xef\xbb\xbf" + echo), "bom", ""),
            (changed(lambda echo: echo + b"\r\n"), "newline", ""),
        ],
    )
    def test_each_has_its_name(
        self, app: WeComConfig, peer: Peer, script: Raw | Callable[[Received], Raw], code: str, detail: str
    ) -> None:
        peer.answer(PATH, script)
        (finding,) = callback_doctor.examine(app).findings
        assert finding.code == code
        assert detail in finding.detail and "msg_signature" not in finding.detail

    def test_slow(self, app: WeComConfig, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(callback_doctor, "ECHO_SECONDS", 0.05)
        held = threading.Event()

        def slow(request: Received) -> Raw:
            held.wait(0.1)
            return quotebridge(request)

        peer.answer(PATH, slow)
        assert codes(app) == ["slow"]

    def test_events_are_kept_out(self, app: WeComConfig, peer: Peer) -> None:
        peer.answer(PATH, lambda request: quotebridge(request) if request.method == "GET" else Raw(413))
        (finding,) = callback_doctor.examine(app).findings
        assert (finding.code, finding.detail) == ("post_refused", "413")

    @pytest.mark.parametrize(
        ("by", "code"), [(lambda said: said + b"\n", "newline"), (lambda said: b'{"ok": true}', "post_changed")]
    )
    def test_the_answer_to_an_event_is_changed(
        self, app: WeComConfig, peer: Peer, by: Callable[[bytes], bytes], code: str
    ) -> None:
        peer.answer(PATH, changed(by, method="POST"))
        assert codes(app) == [code]


class TestAnotherQuotebridge:
    @pytest.mark.parametrize(
        ("theirs", "code"),
        [
            ({"token": OTHER_TOKEN}, "wrong_token"),
            ({"key": OTHER_AES_KEY}, "wrong_key"),
            ({"corp": "wwsomebodyelse0000"}, "wrong_corp"),
        ],
    )
    def test_its_credentials_differ(self, app: WeComConfig, peer: Peer, theirs: dict[str, str], code: str) -> None:
        peer.answer(PATH, lambda request: quotebridge(request, **theirs))  # type: ignore[arg-type]
        assert codes(app) == [code]

    @pytest.mark.parametrize(
        ("status", "reason", "code"),
        [
            (404, "No enabled WeCom app has this callback address.", "unknown_address"),
            (503, "No callback token and EncodingAESKey are known for this address.", "no_credentials_there"),
            (400, "The body has no Encrypt element.", "status"),
            (413, "The body is larger than 1 MiB.", "refused_otherwise"),
        ],
    )
    def test_it_refuses(self, app: WeComConfig, peer: Peer, status: int, reason: str, code: str) -> None:
        peer.answer(PATH, Raw(status, reason.encode()))
        assert codes(app) == [code]

    def test_its_clock_is_wrong(self, app: WeComConfig, peer: Peer) -> None:
        with time_machine.travel(timezone.now(), tick=True) as clock:

            def later(request: Received) -> Raw:
                clock.shift(timedelta(hours=2))
                return quotebridge(request)

            peer.answer(PATH, later)
            assert codes(app) == ["clock"]

    def test_it_has_not_heard_of_the_next_pair(self, app: WeComConfig, peer: Peer) -> None:
        app.next_callback_token, app.next_encoding_aes_key = OTHER_TOKEN, OTHER_AES_KEY
        peer.answer(PATH, quotebridge)
        assert codes(app) == ["next_pair", "verified"]
        peer.answer(PATH, lambda request: quotebridge(request, next_pair=True))
        assert codes(app) == ["verified"]

    def test_credentials_that_are_a_second_old_get_their_time(
        self, app: WeComConfig, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(callback_doctor, "LOOK_AGAIN", 0.01)
        app.updated_at = timezone.now()
        stale = [lambda request: quotebridge(request, token=OTHER_TOKEN)] * 3
        peer.answer(PATH, *stale, quotebridge)
        assert codes(app) == ["verified"]


class TestPlus:
    def test_turned_into_a_blank_is_repaired_here_and_said(self, app: WeComConfig, peer: Peer) -> None:
        def decodes_twice(request: Received) -> Raw:
            query = {name: value.replace("+", " ") for name, value in request.query.items()}
            return quotebridge(Received(request.method, request.endpoint, query, request.content, request.headers))

        peer.answer(PATH, decodes_twice)
        report = callback_doctor.examine(app)
        assert report.ok and [finding.code for finding in report.findings] == ["verified", "plus_repaired"]

    def test_encoded_twice_is_the_proxys_fault_not_the_tokens(self, app: WeComConfig, peer: Peer) -> None:
        def encodes_twice(request: Received) -> Raw:
            query = {name: value.replace("+", "%2B").replace("/", "%2F") for name, value in request.query.items()}
            return quotebridge(Received(request.method, request.endpoint, query, request.content, request.headers))

        peer.answer(PATH, encodes_twice)
        assert codes(app) == ["plus_changed"]


class TestRefusedRequests:
    def refuse(self, slug: str = "", nonce: str = "1234") -> RefusedCallback:
        return RefusedCallback.objects.create(
            slug=slug, method="POST", code=-40001, reason="The signature", query=urlencode({"a": 1, "nonce": nonce})
        )

    def test_the_last_real_ones_are_listed(self, app: WeComConfig) -> None:
        self.refuse(slug="another")
        self.refuse(nonce=f"{signed_call.NONCE}77")
        rows = [self.refuse() for _number in range(callback_doctor.SHOWN_REFUSALS + 2)]
        rows.append(self.refuse(slug="default"))
        newest = [row.pk for row in reversed(rows)][: callback_doctor.SHOWN_REFUSALS]
        assert [row.pk for row in callback_doctor.refused_requests(app)] == newest

    def test_each_app_has_its_own(self, app: WeComConfig) -> None:
        self.refuse()
        mine = self.refuse(slug="another")
        other = make_config("another")
        assert [row.pk for row in callback_doctor.refused_requests(other)] == [mine.pk]

    @pytest.mark.django_db(transaction=True)
    def test_our_own_refused_request_is_not_among_them(
        self, live_server: object, settings: Settings, transactional_db: None
    ) -> None:
        settings.WECOM_API_BASE_URL = "http://standin.example"
        settings.WECOM_CALLBACK_URL = f"{live_server.url}{PATH}"  # type: ignore[attr-defined]
        app = settled(make_config())
        app.callback_token = OTHER_TOKEN
        report = callback_doctor.examine(app)
        assert [finding.code for finding in report.findings] == ["wrong_token"]
        assert RefusedCallback.objects.exists() and not report.refused


@pytest.mark.parametrize("module", [callback_doctor, signed_call, probe])
def test_every_finding_has_words(module: ModuleType) -> None:
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    named = {*re.findall(r'Finding\(\s*"(\w+)"', source), *callback_doctor._REFUSALS.values()}
    assert len(named) > 4
    for code in named:
        assert words(code, detail="x", url="y").sentence.replace("x", ""), code


def test_words_hold_the_address_and_the_detail() -> None:
    report = callback_doctor.Report("https://q.example/cb", [Finding("slow", detail="1.4")], [])
    with translation.override("en"):
        ((_finding, said),) = report.words()
    assert said.sentence == "https://q.example/cb took 1.4 s; WeCom waits one second."
    assert said.remedy


class tls_server:  # noqa: N801 - used as a context manager
    """An HTTPS server with a certificate that it signed itself."""

    def __init__(self, folder: Path) -> None:
        certificate, key = folder / "cert.pem", folder / "key.pem"
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        files = ["-keyout", str(key), "-out", str(certificate)]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *files, *subject],
            check=True,
            capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._server.server_address[1])

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_a_system_that_does_not_know_the_sync_assistant_yet(app: WeComConfig, peer: Peer) -> None:
    app.contact_callback_token, app.contact_encoding_aes_key = OTHER_TOKEN, OTHER_AES_KEY
    app.save()
    peer.answer(PATH, quotebridge)
    assert codes(settled(app)) == ["contact_pair", "verified"]
