"""Where callbacks wait on the local disk while the database is away.

A callback is spooled as it came, still encrypted, so nothing readable lies on the disk, and is verified once more when
it is replayed. A file is complete and on the disk when its name appears; it disappears after its row is committed. A
crash in between, or two processes that replay at once, insert the row twice, which its key forbids.
"""

from __future__ import annotations

import base64
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from django.conf import settings
from django.utils import timezone

from wecom.callback import open_callback
from wecom.configs import read_with_credentials
from wecom.crypto import CallbackError, gettext_noop
from wecom.inbox import store, wake_worker
from wecom.quick_insert import DatabaseAway, RowRefused

logger = structlog.get_logger(__name__)

MOST_FILES = 20_000
MOST_BYTES = 256 * 1024 * 1024
"""Enough for hours of callbacks; beyond that the disk matters more."""
SUFFIX = ".callback"
SIGNED = ("msg_signature", "timestamp", "nonce")


class SpoolFull(CallbackError):
    code = 503
    http_status = 503
    default_reason = gettext_noop("The database is away and the local spool is full or cannot be written.")


@dataclass(frozen=True, slots=True)
class SpooledCallback:
    slug: str
    query: Mapping[str, str]
    body: bytes
    received_at: datetime


def keep(slug: str, query: Mapping[str, str], body: bytes) -> None:
    """Write a verified callback to the disk, durably. Raises SpoolFull."""
    document = {
        "slug": slug,
        "query": {name: query.get(name, "") for name in SIGNED},
        "body": base64.b64encode(body).decode(),
        "received_at": timezone.now().isoformat(),
    }
    try:
        _write(json.dumps(document).encode())
    except OSError as error:
        raise SpoolFull from error


def replay_spool() -> int:
    """Move what is spooled into the inbox, oldest first; returns how many files were moved.

    Stops at the first one for which the database is away; one whose row it refuses stays, and the others go on. A file
    that no longer verifies (its credentials were replaced meanwhile) is set aside in ``refused/`` for a person. One
    that the disk does not give (``OSError``) stays.
    """
    moved = left = 0
    why = ""
    try:
        for path in _waiting():
            try:
                moved += _replay(path)
            except (RowRefused, OSError) as error:
                left, why = left + 1, str(error)
    except (DatabaseAway, OSError) as error:
        logger.warning("spool_replay_stopped", error=str(error), moved=moved)
    if left:  # one line for all: thousands may wait for the same cause
        logger.error("spooled_callbacks_not_taken", left=left, error=why)
    if moved:
        logger.info("spool_replayed", moved=moved)
        wake_worker()
    return moved


def _write(document: bytes) -> None:
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_room(folder, len(document))
    # Sorts by time of arrival and carries its size, so that counting needs no look at the files themselves.
    name = f"{timezone.now().timestamp():.6f}-{len(document)}-{uuid.uuid4().hex}"
    unfinished = folder / f"{name}.part"
    try:
        with open(unfinished, "xb") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
        os.rename(unfinished, folder / f"{name}{SUFFIX}")
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(folder)


def _check_room(folder: Path, coming: int) -> None:
    sizes = [int(name.split("-")[1]) for name in os.listdir(folder) if name.endswith(SUFFIX)]
    if len(sizes) >= MOST_FILES or sum(sizes) + coming > MOST_BYTES:
        raise SpoolFull


def _sync_folder(folder: Path) -> None:
    """The file's name is on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folder() -> Path:
    return Path(settings.VAR_DIR) / "spool"


def _waiting() -> Iterator[Path]:
    folder = _folder()
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)


def _replay(path: Path) -> bool:
    try:
        spooled = _load(path)
    except FileNotFoundError:  # another process was quicker
        return False
    except (ValueError, KeyError, TypeError) as error:
        _set_aside(path, f"unreadable: {error}")
        return False
    try:
        credentials, opened = read_with_credentials(
            spooled.slug, lambda known: open_callback(known, spooled.query, spooled.body, now=None)
        )
        if credentials.config_id is None:
            raise DatabaseAway("only the settings' credentials are known")
        store(opened, config_id=credentials.config_id, received_at=spooled.received_at)
    except CallbackError as error:
        if error.http_status != 503:
            _set_aside(path, str(error))
        return False
    path.unlink(missing_ok=True)
    return True


def _load(path: Path) -> SpooledCallback:
    document = json.loads(path.read_bytes())
    return SpooledCallback(
        slug=document["slug"],
        query=document["query"],
        body=base64.b64decode(document["body"]),
        received_at=datetime.fromisoformat(document["received_at"]),
    )


def _set_aside(path: Path, why: str) -> None:
    refused = path.parent / "refused"
    refused.mkdir(mode=0o700, exist_ok=True)
    try:
        path.rename(refused / path.name)
    except FileNotFoundError:
        return
    logger.error("spooled_callback_refused", file=path.name, why=why)
