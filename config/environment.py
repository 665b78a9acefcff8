"""Reading the environment: every mistake is collected and named, none is a traceback.

``config.settings`` reads through one ``Environment``. A wrong or missing value leaves a harmless placeholder behind,
so that Django can start far enough to say what is wrong, and a ``Problem`` in ``Environment.problems``.
``config.checks`` turns the problems into system-check errors; ``refuse_to_start`` ends servers, which run no checks.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ

Value = TypeVar("Value")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MISSING = "is missing"


@dataclass(frozen=True, slots=True)
class Problem:
    """One setting that cannot be used. ``sentence`` names it and never repeats its value, which may be secret."""

    setting: str
    sentence: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}".strip()


@dataclass(slots=True)
class Environment:
    """Typed readers over a mapping of strings; ``problems`` grows instead of exceptions being raised."""

    values: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def load(cls, variables: Mapping[str, str], env_file: Path | None) -> Environment:
        """``variables`` win over the lines of ``env_file`` (skipped when absent)."""
        merged = dict(variables)
        if env_file is not None:

            class EnvFile(environ.Env):
                ENVIRON = merged  # instead of os.environ: reading settings must not change what children inherit

            EnvFile.read_env(env_file)
        return cls(merged)

    def complain(self, setting: str, trouble: str, hint: str = "") -> None:
        self.problems.append(Problem(setting, f"{setting} {trouble}.", hint))

    def _read(
        self, name: str, default: Value, convert: Callable[[str], Value], *, required: bool = False, hint: str = ""
    ) -> Value:
        raw = self.values.get(name, "").strip()
        if not raw:
            if required:
                self.complain(name, MISSING, hint)
            return default
        try:
            return convert(raw)
        except (ValueError, KeyError, binascii.Error) as error:
            self.complain(name, str(error) if isinstance(error, ValueError) and error.args else "cannot be read", hint)
            return default

    def text(self, name: str, default: str = "", *, required: bool = False, hint: str = "") -> str:
        return self._read(name, default, str, required=required, hint=hint)

    def boolean(self, name: str, default: bool) -> bool:
        return self._read(name, default, _boolean, hint="Use true or false.")

    def integer(self, name: str, default: int, *, least: int, most: int) -> int:
        def convert(raw: str) -> int:
            if not re.fullmatch(r"-?\d{1,9}", raw) or not least <= int(raw) <= most:
                raise ValueError(f"must be a whole number from {least} to {most}")
            return int(raw)

        return self._read(name, default, convert)

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        def convert(raw: str) -> str:
            if raw not in choices:
                raise ValueError(f"must be one of: {', '.join(choices)}")
            return raw

        return self._read(name, default, convert)

    def names(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """A comma-separated list."""
        return self._read(name, list(default), _comma_separated)

    def url(self, name: str, default: str, *, schemes: Sequence[str] = ("http", "https")) -> str:
        """A URL without a trailing slash, so that paths can be appended."""

        def convert(raw: str) -> str:
            parts = urlsplit(raw)
            if parts.scheme not in schemes or not parts.hostname:
                raise ValueError(f"must be a URL that starts with {' or '.join(s + '://' for s in schemes)}")
            if parts.port is not None and not 0 < parts.port < 65536:
                raise ValueError("has a port outside 1-65535")
            return raw.rstrip("/")

        return self._read(name, default, convert)

    def directory(self, name: str, default: Path) -> Path:
        return self._read(name, default, lambda raw: Path(raw).expanduser().resolve())

    def time_zone(self, name: str, default: str) -> str:
        def convert(raw: str) -> str:
            try:
                zoneinfo.ZoneInfo(raw)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ValueError("is not a known time zone, such as Asia/Shanghai") from error
            return raw

        return self._read(name, default, convert)

    def keys(self, name: str, *, length: int, hint: str, placeholder: str) -> list[str]:
        """A comma-separated list of base64 keys of ``length`` bytes each; never empty."""

        def convert(raw: str) -> list[str]:
            keys = _comma_separated(raw)
            for key in keys:
                if _base64_length(key) != length:
                    raise ValueError(f"must hold base64 text of {length} bytes each, separated by commas")
            return keys

        return self._read(name, [placeholder], convert, required=True, hint=hint)

    def aes_key(self, name: str) -> str:
        """WeCom's EncodingAESKey: 43 characters of base64 that make 32 bytes (doc 90968). Empty when not set."""

        def convert(raw: str) -> str:
            if len(raw) != 43 or _base64_length(raw) != 32:
                raise ValueError("must be the 43 letters and digits that WeCom shows as EncodingAESKey")
            return raw

        return self._read(name, "", convert)

    def together(self, *names: str) -> None:
        """Complain about each of ``names`` that is missing while another is set."""
        given = [name for name in names if self.values.get(name, "").strip()]
        for name in names:
            if given and name not in given:
                self.complain(name, f"is missing although {given[0]} is set")

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Django's ``DATABASES`` entry for SQLite or PostgreSQL."""

        def convert(raw: str) -> dict[str, Any]:
            scheme = urlsplit(raw).scheme
            if scheme not in ("sqlite", "postgres", "postgresql"):
                raise ValueError("must start with postgres:// or sqlite:///")
            config = environ.Env.db_url_config(raw)
            if not config.get("NAME"):
                raise ValueError("names no database")
            return dict(config)

        return self._read(name, convert(default), convert)

    def email(self, name: str, default: str) -> dict[str, Any]:
        """Django's ``EMAIL_*`` settings from an address such as smtp+tls://user:password@host:587."""

        def convert(raw: str) -> dict[str, Any]:
            if urlsplit(raw).scheme not in environ.Env.EMAIL_SCHEMES:
                raise ValueError("must start with smtp://, smtp+tls://, smtp+ssl:// or consolemail://")
            return dict(environ.Env.email_url_config(raw))

        return self._read(name, convert(default), convert)

    def long_texts(self, name: str, default: Sequence[str], *, least: int) -> list[str]:
        """A comma-separated list of texts of at least ``least`` characters each."""

        def convert(raw: str) -> list[str]:
            texts = _comma_separated(raw)
            if any(len(text) < least for text in texts):
                raise ValueError(f"must hold texts of at least {least} characters each, separated by commas")
            return texts

        return self._read(name, list(default), convert)

    def long_text(self, name: str, *, least: int) -> str:
        """A text that nobody guesses: at least ``least`` characters. Empty when not set."""
        return self._read(name, "", partial(_long_enough, least=least))

    def networks(self, name: str) -> list[Network]:
        """A comma-separated list of addresses and networks (``10.0.0.0/8``)."""

        def convert(raw: str) -> list[Network]:
            try:
                return [ipaddress.ip_network(part) for part in _comma_separated(raw)]
            except ValueError as error:
                raise ValueError("must hold addresses or networks such as 10.0.0.0/8, separated by commas") from error

        return self._read(name, [], convert)


def _long_enough(raw: str, *, least: int) -> str:
    if len(raw) < least:
        raise ValueError(f"must hold at least {least} characters")
    return raw


def _boolean(raw: str) -> bool:
    if raw.lower() in ("true", "yes", "on", "1"):
        return True
    if raw.lower() in ("false", "no", "off", "0"):
        return False
    raise ValueError("is neither true nor false")


def _comma_separated(raw: str) -> list[str]:
    return [part.strip() for part in raw.split(",") if part.strip()]


def _base64_length(text: str) -> int:
    """Bytes that base64 ``text`` (padded or not, standard or URL-safe) stands for; -1 when it is none."""
    try:
        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        return len(base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True))
    except (binascii.Error, ValueError):
        return -1
