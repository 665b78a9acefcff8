"""How one library is set up: where it listens, whose key opens it, how many projects it begins with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    database: Path
    key: str
    projects: int = 60
    host: str = "127.0.0.1"
    port: int = 8093
