"""Previews: dry runs that a worker makes because somebody in admin asked what a run would change.

A preview is a question and its answer, not a fact: it lives in Redis for an hour, and its queue with it.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from config.wakeup import wake
from wecom.directory_sync import brake, progress, runs
from wecom.directory_sync.diff import COUNTS, PartDifference
from wecom.directory_sync.fetch import PutBack
from wecom.errors import WeComError
from wecom.models import DirectorySyncRun, WeComConfig
from wecom.redis import redis, redis_needed

logger = structlog.get_logger(__name__)

TASK = "wecom.make_previews"
KEPT_SECONDS = 3600
QUEUE = "wecom:previews"
SAVE_EVERY = 0.5
"""Seconds between two looks that the page may get of it."""
SILENT = 90.0
"""Seconds without a sign of life after which its worker is taken for dead."""


@dataclass(slots=True)
class Preview:
    config_id: int
    sync_type: str
    force: bool
    language: str
    """Of whoever asked, who alone will read it."""
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "pending"
    """pending, running, success or failed."""
    began_at: float = 0.0
    seen_at: float = 0.0
    """Its worker's last sign of life, in seconds since 1970."""
    calls_done: int = 0
    fetched: int = 0
    percent: int | None = None
    message: str = ""
    held: str = ""
    """Why the brake would hold such a run; empty: it would not."""
    parts: list[dict[str, Any]] = field(default_factory=list)
    """The differences, as ``PartDifference`` has them."""

    @property
    def open(self) -> bool:
        return self.status in ("pending", "running")

    @property
    def duration(self) -> timedelta | None:
        """How long its worker has been at it, or was."""
        return timedelta(seconds=self.seen_at - self.began_at) if self.began_at else None

    @property
    def counts(self) -> dict[str, int]:
        """By the names of a run's columns."""
        counts = {name: sum(part[name] for part in self.parts) for name in COUNTS}
        return counts if self.parts else {**counts, "fetched": self.fetched}

    def save(self) -> None:
        with redis_needed():
            redis().set(_name(self.key), json.dumps(asdict(self)), ex=KEPT_SECONDS)


def start(config: WeComConfig, sync_type: str, *, force: bool) -> str:
    """Ask a worker for one; returns the key to ``find`` it with. Raises RetryableError when Redis is away."""
    preview = Preview(config.pk, sync_type, force, get_language() or settings.LANGUAGE_CODE)
    preview.save()
    with redis_needed():
        redis().rpush(QUEUE, preview.key)
        redis().expire(QUEUE, KEPT_SECONDS)
    wake(TASK)
    return preview.key


def find(key: str) -> Preview | None:
    """None when there is none, or none any more. Raises RetryableError when Redis is away."""
    with redis_needed():
        stored = redis().get(_name(key))
    if stored is None:
        return None
    preview = Preview(**json.loads(stored))
    if preview.status == "running" and time.time() - preview.seen_at > SILENT:
        preview.status, preview.message = "failed", _("The worker of this preview ended in the middle.")
    return preview


def make_due() -> int:
    """Make those that were asked for; returns how many."""
    made = 0
    while True:
        with redis_needed():
            key = redis().lpop(QUEUE)
        if key is None:
            return made
        preview = find(str(key))
        if preview is not None:
            with translation.override(preview.language):
                _make(preview)
            made += 1


def _make(preview: Preview) -> None:
    preview.status, preview.began_at = "running", time.time()

    def tell(run: DirectorySyncRun) -> None:
        preview.calls_done, preview.fetched, preview.percent = run.calls_done, run.fetched, progress.percent(run)
        now = time.time()
        if now - preview.seen_at >= SAVE_EVERY:
            preview.seen_at = now
            preview.save()

    preview.seen_at = time.time()
    preview.save()
    try:
        config = WeComConfig.objects.get(pk=preview.config_id)
        difference = runs.dry_run(config, preview.sync_type, tell=tell)
    except WeComError as error:
        preview.status, preview.message = "failed", f"{error.sentence} {error.remedy}".strip()
    except PutBack as wanted:
        preview.status, preview.message = "failed", str(wanted)
    except Exception as error:
        logger.exception("directory_preview_crashed", type=preview.sync_type)
        preview.status, preview.message = "failed", type(error).__name__
    else:
        preview.status, preview.parts = "success", [_told(part) for part in difference.parts]
        preview.held = _held(preview, difference)
    preview.seen_at = time.time()
    preview.save()


def _told(part: PartDifference) -> dict[str, Any]:
    return {**asdict(part), "kind": str(part.kind)}


def _held(preview: Preview, difference: Any) -> str:
    try:
        if not preview.force:
            brake.check(difference)
    except brake.BrakeHeld as held:
        return held.sentence
    return ""


def _name(key: str) -> str:
    return f"wecom:preview:{key}"
