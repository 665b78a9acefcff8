"""One running Quotebridge for a test: web, workers, beat, its own Valkey and WeCom, and the people who use it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import requests
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from knox.models import AuthToken

from approvals.tests.e2e.clients import RestClient
from approvals.tests.e2e.database import Database
from approvals.tests.e2e.phone import Phone
from config.children import free_port
from config.testing.processes import Process, Stack, Valkey, Web
from wecom.crypto import CallbackCrypto
from wecom.models import Member, WeComConfig

CORP_ID = "wwe2e0123456789ab"
SECRET = "canary-corp-secret-7Qd2mZx9LbN4"
CALLBACK_TOKEN = "CanaryCallbackToken2026"
AES_KEY = "CanaryAesKey2026mVx9LbN4cJpYf6HsGd1UeAo3iE0"
TEMPLATE_ID = "TplQuoteDemo"
PASSWORD = "canary-password-Tk7w"
CAST = {
    # user name → (WeCom userid, role)
    "li": ("li.mei", "sales"),
    "wang": ("wang.boss", "approver"),
    "zhao": ("zhao.vp", "approver"),
    "lin": ("admin.it", "integration_admin"),
}


class House:
    """``clients`` by user name. Starts the stand-in and hires the people; ``open`` starts the rest."""

    def __init__(self, directory: Path, database: Database) -> None:
        self.directory, self.database = directory, database
        self.valkey = Valkey(directory / "valkey").start()
        with database.opened():
            self.stack = Stack(directory, redis_url=self.valkey.url)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.stack.environment |= {
            "API_BASE_URL": self.url,
            "WECOM_CORP_ID": CORP_ID,
            "WECOM_AGENT_ID": "1000042",
            "WECOM_SECRET": SECRET,
            "WECOM_CALLBACK_TOKEN": CALLBACK_TOKEN,
            "WECOM_ENCODING_AES_KEY": AES_KEY,
            "WECOM_APPROVAL_TEMPLATE_ID": TEMPLATE_ID,
        }
        self.standin = self.stack.standin(callback_url=f"{self.url}/wecom/callback")
        self.phone = Phone(self.standin.url)
        with database.opened():
            self.clients = {name: RestClient(self.url, token) for name, token in _hire().items()}
        self.crypto = CallbackCrypto(CALLBACK_TOKEN, AES_KEY, CORP_ID)
        self.web: Web | None = None
        self.workers: list[Process] = []
        self.beat: Process | None = None

    def open(self, *, web: int = 1, workers: int = 1, beat: bool = False) -> House:
        """Start the parts, ``web`` and ``workers`` being numbers of processes, and wait until they work."""
        self.start_web(web)
        if workers:
            self.start_worker(workers)
        if beat:
            self.start_beat()
        return self

    def start_web(self, processes: int = 1) -> Web:
        self.web = self.stack.web(port=self.port, workers=processes)
        return self.web

    def start_worker(self, processes: int = 1, *, wait: bool = True) -> Process:
        worker = self.stack.worker(concurrency=processes, wait=wait)
        self.workers.append(worker)
        return worker

    def start_beat(self, *, wait: bool = True) -> Process:
        self.beat = self.stack.beat(wait=wait)
        return self.beat

    @property
    def li(self) -> RestClient:
        """Sells."""
        return self.clients["li"]

    @property
    def wang(self) -> RestClient:
        """Approves."""
        return self.clients["wang"]

    @property
    def lin(self) -> RestClient:
        """Looks after the connection to WeCom."""
        return self.clients["lin"]

    def ready(self) -> tuple[bool, dict[str, Any], float]:
        """``/health/ready``: whether it says 200, its parts, and the seconds it took."""
        started = time.monotonic()
        response = requests.get(f"{self.url}/health/ready", timeout=10)
        return response.status_code == 200, response.json()["parts"], time.monotonic() - started

    def manage(self, *arguments: str) -> tuple[int, str]:
        """Run a command to its end; its exit status and what it printed. ``LANG`` is English."""
        process = self.stack.start(
            arguments[0], [sys.executable, "manage.py", *arguments], LANGUAGE_CODE="en", NO_COLOR="1"
        )
        return process.popen.wait(60), process.output

    def reschedule(self, name: str, seconds: int) -> None:
        """Set a schedule's interval as the admin form does: by saving the row."""
        with self.database.opened():
            interval, _created = IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)
            row = PeriodicTask.objects.get(name=name)
            row.interval = interval
            row.save()

    def logs(self) -> dict[str, str]:
        """What every process has printed, by the file's name."""
        return {path.name: path.read_text(errors="replace") for path in sorted(self.directory.glob("*.log"))}

    def secrets(self) -> dict[str, str]:
        """What must not be read anywhere: name → value."""
        tokens = {f"API token of {name}": client.token for name, client in self.clients.items()}
        own = {
            "corp secret": SECRET,
            "callback token": CALLBACK_TOKEN,
            "EncodingAESKey": AES_KEY,
            "password": PASSWORD,
            "SECRET_KEY": self.stack.environment["SECRET_KEY"],
            "FIELD_ENCRYPTION_KEYS": self.stack.environment["FIELD_ENCRYPTION_KEYS"],
        }
        return {**own, **tokens, **self._access_tokens()}

    def _access_tokens(self) -> dict[str, str]:
        """Every token that this WeCom has ever given."""
        import sqlite3

        with sqlite3.connect(self.directory / "standin.sqlite3") as store:
            rows = store.execute("SELECT token FROM tokens").fetchall()
        store.close()
        return {f"access token {place}": token for place, (token,) in enumerate(rows)}

    def leaks(self) -> list[str]:
        """Where a secret stands in a log."""
        secrets = self.secrets()
        return [
            f"{name} in {file}"
            for file, text in self.logs().items()
            for name, value in secrets.items()
            if value in text
        ]

    def close(self) -> None:
        for process in self.stack.processes:
            process.thaw()
        self.stack.close()
        self.valkey.thaw()
        self.valkey.kill()
        self.database.drop()


def _hire() -> dict[str, str]:
    """Users with their roles and their places in WeCom; API tokens by user name."""
    config = WeComConfig.objects.create(
        slug="default",
        name="报价助手",
        corp_id=CORP_ID,
        agent_id=1000042,
        secret=SECRET,
        callback_token=CALLBACK_TOKEN,
        encoding_aes_key=AES_KEY,
        template_id=TEMPLATE_ID,
        is_default=True,
    )
    password = make_password(PASSWORD, hasher="pbkdf2_sha256")  # the processes know the production hashers only
    tokens = {}
    for name, (userid, role) in CAST.items():
        user = User.objects.create(username=name, password=password, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        Member.objects.create(config=config, userid=userid, name=name.title(), user=user)
        tokens[name] = AuthToken.objects.create(user)[1]
    return tokens
