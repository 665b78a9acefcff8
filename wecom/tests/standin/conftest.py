"""A stand-in on a real port, a client for both of its interfaces, and a receiver of its callbacks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from config.testing.processes import wait_until
from wecom.crypto import CallbackCrypto
from wecom.standin.options import Options
from wecom.standin.server import StandinServer
from wecom.standin.world import World
from wecom.xml import parse

CORP_ID, SECRET, AGENT_ID = "wwfacade0123456789", "standin-secret", 1000042
TOKEN, AES_KEY = "QuoteDeskTok2026", "q7Rw2ZkT0mVx9LbN4cJpYf6HsGd1UeAo3iBt8WvKyE0"
TEMPLATE = "TplQuoteDemo"


class Clock:
    """The real time, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Receiver:
    """The product's end of a callback: checks the signature, decrypts, keeps. ``status`` and ``silent`` misbehave."""

    def __init__(self) -> None:
        self.crypto = CallbackCrypto(TOKEN, AES_KEY, CORP_ID)
        self.events: list[dict[str, Any]] = []
        self.packets: list[str] = []
        self.status = 200
        self.silent = 0  # so many requests are dropped without an answer
        self.echo_suffix = b""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _receiver_handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/wecom/callback"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def changes(self) -> list[str]:
        """StatuChangeEvent of everything received, in order of arrival."""
        return [event.get("ApprovalInfo", {}).get("StatuChangeEvent", "") for event in list(self.events)]

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.events) >= count, message=f"{count} callbacks, got {self.changes()}")
        return self.events

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _receiver_handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = self.query()
            self.check(query, query["echostr"])
            self.answer(receiver.crypto.decrypt(query["echostr"]) + receiver.echo_suffix)

        def do_POST(self) -> None:
            outer = parse(self.rfile.read(int(self.headers["Content-Length"])))
            encrypted = outer["Encrypt"]
            self.check(self.query(), encrypted)
            receiver.packets.append(encrypted)
            if receiver.silent:
                receiver.silent -= 1
                self.close_connection = True
                return
            receiver.events.append(parse(receiver.crypto.decrypt(encrypted)))
            self.answer(b"success")

        def query(self) -> dict[str, str]:
            return dict(parse_qsl(urlsplit(self.path).query))

        def check(self, query: dict[str, str], encrypted: str) -> None:
            assert receiver.crypto.check(query["msg_signature"], query["timestamp"], query["nonce"], encrypted)

        def answer(self, body: bytes) -> None:
            self.send_response(receiver.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            """Silent: the test says what went wrong."""

    return Handler


class Standin:
    """A client of the stand-in: ``call`` speaks WeCom's API, ``get``, ``post`` and ``act`` the test interface."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self._token = ""

    def gettoken(self, secret: str = SECRET) -> dict[str, Any]:
        parameters = {"corpid": CORP_ID, "corpsecret": secret}
        answer = self.session.get(f"{self.url}/cgi-bin/gettoken", params=parameters, timeout=10)
        return dict(answer.json())

    def call(self, endpoint: str, body: Any = None, *, token: str | None = None, **query: str) -> dict[str, Any]:
        """One API call; POST with ``body``, GET without. A ``bytes`` body goes out as it is."""
        if token is None:
            self._token = self._token or self.gettoken()["access_token"]
            token = self._token
        content = body if isinstance(body, bytes | None) else json.dumps(body, ensure_ascii=False).encode()
        answer = self.session.request(
            "GET" if body is None else "POST",
            f"{self.url}/cgi-bin/{endpoint}",
            params={"access_token": token} | query,
            data=content,
            timeout=10,
        )
        assert answer.status_code == 200
        return dict(answer.json())

    def errcode(self, endpoint: str, body: Any = None, **query: str) -> int:
        return int(self.call(endpoint, body, **query)["errcode"])

    def submit(self, **changes: Any) -> str:
        answer = self.call("oa/applyevent", submission(**changes))
        assert answer["errcode"] == 0, answer
        return str(answer["sp_no"])

    def detail(self, sp_no: str) -> dict[str, Any]:
        answer = self.call("oa/getapprovaldetail", {"sp_no": sp_no})
        assert answer["errcode"] == 0, answer
        return dict(answer["info"])

    def get(self, path: str, **query: str) -> Any:
        return self.session.get(f"{self.url}/standin/api/{path}", params=query, timeout=10).json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.session.post(f"{self.url}/standin/api/{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def act(self, key: str, action: str, userid: str = "", **body: Any) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the approval, or the error."""
        answer = self.session.post(
            f"{self.url}/standin/api/approvals/{key}/act",
            json={"action": action, "userid": userid, **body},
            timeout=10,
        )
        return answer.status_code, answer.json()

    def fault(self, kind: str, **parameters: Any) -> None:
        self.post("faults", kind=kind, **parameters)


def node(*userids: str, kind: int = 1, relation: int = 1) -> dict[str, Any]:
    return {"type": kind, "apv_rel": relation, "userid": list(userids)}


def table_row(name: str = "Pump X1") -> dict[str, Any]:
    return {
        "list": [
            {"control": "Text", "id": "Text-11", "value": {"text": name}},
            {"control": "Text", "id": "Text-12", "value": {"text": ""}},
            {"control": "Number", "id": "Number-13", "value": {"new_number": "3"}},
            {"control": "Money", "id": "Money-14", "value": {"new_money": "42.50"}},
            {"control": "Money", "id": "Money-15", "value": {"new_money": "127.50"}},
        ]
    }


def contents(third_no: str = "CIS-20260101-0001", **values: dict[str, Any]) -> list[dict[str, Any]]:
    """A complete form; ``values`` replaces or adds a control's value by id, with ``_`` for ``-``."""
    filled: dict[str, dict[str, Any]] = {
        "Text-01": {"text": third_no},
        "Text-03": {"text": "苏州恒远"},
        "Money-04": {"new_money": "127.50"},
        "Selector-05": {"selector": {"type": "single", "options": [{"key": "option-1"}]}},
        "Date-06": {"date": {"type": "day", "s_timestamp": "1767196800"}},
        "Table-07": {"children": [table_row()]},
    }
    filled.update({name.replace("_", "-"): value for name, value in values.items()})
    return [
        {"control": control_id.split("-")[0], "id": control_id, "value": value} for control_id, value in filled.items()
    ]


def submission(
    *, nodes: list[dict[str, Any]] | None = None, form: list[dict[str, Any]] | None = None, **changes: Any
) -> dict[str, Any]:
    """A valid body of ``oa/applyevent``; ``changes`` replaces top-level fields."""
    return {
        "creator_userid": "li.mei",
        "template_id": TEMPLATE,
        "use_template_approver": 0,
        "process": {"node_list": nodes or [node("wang.boss")]},
        "apply_data": {"contents": form or contents()},
        "summary_list": [{"summary_info": [{"text": "CIS-20260101-0001", "lang": "zh_CN"}]}],
    } | changes


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


@pytest.fixture
def options(tmp_path: Path, receiver: Receiver) -> Options:
    return Options(
        database=tmp_path / "standin.sqlite3",
        corp_id=CORP_ID,
        secret=SECRET,
        agent_id=AGENT_ID,
        token=TOKEN,
        aes_key=AES_KEY,
        callback_url=receiver.url,
        port=0,
    )


@pytest.fixture
def standin(options: Options, clock: Clock) -> Iterator[Standin]:
    server = StandinServer(World(options, clock))
    server.start_in_background()
    yield Standin(server.url)
    server.stop()
