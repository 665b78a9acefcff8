"""The whole system on one machine for trying it out: what ``make demo`` starts, and the .env it writes the first time.

The demo keeps to itself: its own SQLite files and its own Redis under ``var/``, stand-ins instead of WeCom and of the
remote project library, whatever else the .env says.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import string
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from django.utils.translation import gettext as _

from config.children import free_port, port_answers, port_is_free
from config.embedded import valkey_command
from config.runner import Part, Runner

DATABASE = "demo.sqlite3"
STANDIN_DATABASE = "standin.sqlite3"
LIBRARY_DATABASE = "projects_standin.sqlite3"
LIBRARY_KEY = "key-of-the-demo-library"
"""The same everywhere: it opens made-up projects on this machine, and an older demo's .env has none."""
WRITTEN_BY_US = "# Written by `make demo`, for the demo only: .env.example explains how to set up the real thing."
NO_WORD_ABOUT_ROOT = ("-W", "ignore::UserWarning:celery.platforms")
"""In a container the demo runs as root, and Celery's page of warning would be the last thing that is read."""


class CannotStart(Exception):
    """The message is one line that says what stands in the way."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Ports on 127.0.0.1 and what follows from them."""

    web: int
    standin: int
    redis: int
    library: int

    @classmethod
    def for_port(cls, port: int) -> Addresses:
        """The web server on ``port`` (it must be free), the others next to it where they can. Raises CannotStart."""
        if not port_is_free(port):
            raise CannotStart(f"Port {port} is taken. Choose another one: make demo PORT={port + 1}")
        neighbours = [
            other if other < 65536 and port_is_free(other) else free_port() for other in range(port + 91, port + 94)
        ]
        return cls(port, *neighbours)

    @property
    def site(self) -> str:
        return f"http://localhost:{self.web}"

    @property
    def standin_url(self) -> str:
        return f"http://127.0.0.1:{self.standin}"

    @property
    def library_url(self) -> str:
        return f"http://127.0.0.1:{self.library}"

    def settings(self, var: Path) -> dict[str, str]:
        """What moves with the ports, and what the demo's people need; also in the .env, so that commands in another
        terminal find the demo."""
        return {
            "PASSWORD_LOGIN": "everybody",
            "API_BASE_URL": self.site,
            "DATABASE_URL": f"sqlite:///{var / DATABASE}",
            "REDIS_URL": f"redis://127.0.0.1:{self.redis}/0",
            "WECOM_API_BASE_URL": self.standin_url,
            "WECOM_STANDIN_URL": self.standin_url,
            "WECOM_CALLBACK_URL": f"http://127.0.0.1:{self.web}/wecom/callback",
            "REMOTE_API_BASE_URL": self.library_url,
            "REMOTE_API_KEY": LIBRARY_KEY,
            "PROJECTS_STANDIN_URL": self.library_url,
        }


def fresh_secrets() -> dict[str, str]:
    alphabet = string.ascii_letters + string.digits

    def random_text(length: int) -> str:
        return "".join(secrets.choice(alphabet) for _ in range(length))

    return {
        "SECRET_KEY": random_text(64),
        "FIELD_ENCRYPTION_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
        "WECOM_CORP_ID": f"ww{secrets.token_hex(8)}",
        "WECOM_AGENT_ID": "1000002",
        "WECOM_SECRET": random_text(43),
        "WECOM_CALLBACK_TOKEN": random_text(24),
        "WECOM_ENCODING_AES_KEY": random_text(43),
        "WECOM_APPROVAL_TEMPLATE_ID": "TplQuoteDemo",
        "WECOM_ENGINE_TEMPLATE_ID": "TplQuoteEngine",
        "WECOM_DEFAULT_APPLICANT": "li.mei",
    }


def write_env(path: Path, addresses: Addresses, var: Path) -> None:
    """A complete .env for the demo, readable by its owner only."""
    values = {
        **fresh_secrets(),
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "HTTPS_ONLY": "false",
        "LOG_FORMAT": "console",
        **addresses.settings(var),
    }
    lines = [WRITTEN_BY_US, *(f"{name}={value}" for name, value in values.items())]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def complete_env(path: Path, addresses: Addresses, var: Path) -> None:
    """Adds what the .env of an older demo does not know yet. A .env that somebody wrote is left alone."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0] != WRITTEN_BY_US:
        return
    known = {line.partition("=")[0] for line in lines}
    missing = {name: value for name, value in addresses.settings(var).items() if name not in known}
    if missing:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in missing.items())


def set_old_data_aside(var: Path) -> None:
    """Data whose secrets were sealed with the keys of a .env that is gone cannot be opened any more."""
    for name in (DATABASE, STANDIN_DATABASE, LIBRARY_DATABASE):
        for suffix in ("", "-wal", "-shm"):
            file = var / f"{name}{suffix}"
            if file.exists():
                file.replace(file.with_name(f"{file.name}.old"))


def lock(var: Path) -> IO[str]:
    """Held until the process ends. Raises CannotStart when another demo of this folder runs."""
    file = (var / "demo.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise CannotStart("The demo is running already in this folder; end it with Ctrl-C first.") from error
    return file


def answers(url: str) -> Callable[[], bool]:
    """A readiness test: GET ``url`` answers 200."""

    def ask() -> bool:
        try:
            with urlopen(url, timeout=2) as response:  # noqa: S310 - our own http address
                return bool(response.status == 200)
        except (URLError, OSError):
            return False

    return ask


def manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def run(root: Path, var: Path, port: int, out: IO[str]) -> None:
    """Start everything, say where it is, and stay until it ends. Raises CannotStart, PartFailed, Stopped."""
    var.mkdir(parents=True, exist_ok=True)
    held = lock(var)
    addresses = Addresses.for_port(port)
    env_file = root / ".env"
    if env_file.exists():
        complete_env(env_file, addresses, var)
    else:
        set_old_data_aside(var)
        write_env(env_file, addresses, var)
        out.write(_("Wrote .env with fresh secrets for the demo.") + "\n")
    environment = {**os.environ, **addresses.settings(var), "PYTHONUNBUFFERED": "1", "VAR_DIR": str(var)}
    if out.isatty():
        environment["FORCE_COLOR"] = "1"
    with Runner(environment, cwd=root, out=out) as runner:
        said = _start(runner, addresses, var)
        _welcome(out, addresses, said)
        runner.wait()
    held.close()


def _start(runner: Runner, addresses: Addresses, var: Path) -> list[str]:
    """All parts in order; the lines that the seeds printed (the log-ins, a customer's link)."""
    redis = valkey_command(port=addresses.redis, directory=var / "valkey")
    local = f"http://127.0.0.1:{addresses.web}"
    # without their logs: what they print is shown to the person at the end
    seeds = [
        Part(name, ["env", "LOG_LEVEL=ERROR", *manage(command)], once=True)
        for name, command in (("seed", "seed_demo"), ("projects", "seed_projects_demo"))
    ]
    celery = [sys.executable, *NO_WORD_ABOUT_ROOT, "-m", "celery", "--quiet", "-A", "config"]
    standin = manage("wecom_standin", "--port", str(addresses.standin), "--database", str(var / STANDIN_DATABASE))
    library = manage("projects_standin", "--port", str(addresses.library), "--database", str(var / LIBRARY_DATABASE))
    runner.start(
        Part("redis", [*redis, "--loglevel", "warning"], ready=lambda: port_answers(addresses.redis)),
        Part("wecom", standin, ready=answers(f"{addresses.standin_url}/standin/health")),
        Part("library", library, ready=answers(f"{addresses.library_url}/standin/health")),
        Part("migrate", manage("migrate", "--verbosity", "0"), once=True),
    )
    runner.start(
        *seeds,
        Part(
            "web",
            [sys.executable, "-m", "config.web", "--bind", f"127.0.0.1:{addresses.web}"],
            ready=answers(f"{local}/health"),
        ),
    )
    # only now: the first seed decides on quotes, and a worker that submits them meanwhile would come in between
    runner.start(
        Part("worker", [*celery, "worker", "--concurrency", "2", "--without-mingle"]),
        Part("beat", [*celery, "beat"], ready=answers(f"{local}/health/ready")),
    )
    return [line for seed in seeds for line in seed.lines]


def _welcome(out: IO[str], addresses: Addresses, said: list[str]) -> None:
    """In the site's language, as what the seeds said is."""
    pages = [
        (f"{addresses.site}/admin/", _("Admin")),
        (f"{addresses.site}/api/docs", _("REST API")),
        (f"{addresses.standin_url}/", _("WeCom on a phone: approve here")),
        (f"{addresses.library_url}/", _("Project library: change projects here")),
    ]
    lines = [
        "",
        _("Quotebridge is ready."),
        *(f"  {address:<32} {what}" for address, what in pages),
        *(f"  {line}" for line in said),
        "  " + _("Ctrl-C ends everything."),
        "",
    ]
    out.write("\n".join(lines) + "\n")
    out.flush()
