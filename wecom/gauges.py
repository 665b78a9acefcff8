"""What ``/metrics`` looks up on the WeCom side: tokens, breakers and pauses; how the directory's last runs ended.

Apps are told apart by their slugs.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q
from prometheus_client.metrics_core import Metric

from config.metrics import gauge, register_source
from config.metrics_runs import MOST_OWNERS, Runs
from wecom.budgets import pauses
from wecom.configs import directory_readers
from wecom.errors import PermanentError
from wecom.metrics import ENDPOINTS
from wecom.models import DIRECTORY_APPLIED, DirectorySyncRun, DirectoryType, WeComConfig
from wecom.tokens import TokenStore, app_key

APP = ("app",)


def read_apps() -> Iterator[Metric]:
    """One statement, and three looks into Redis for each app. Raises RetryableError when Redis is away."""
    readable, remaining, age, breakers, paused = [], [], [], [], []
    for config in WeComConfig.objects.filter(enabled=True).order_by("pk")[:MOST_OWNERS]:
        app = (config.slug,)
        paused += [((*app, endpoint), left) for endpoint, left in pauses(app_key(config), ENDPOINTS).items()]
        try:
            tokens = TokenStore(config)
        except PermanentError:
            readable.append((app, 0.0))
            continue
        readable.append((app, 1.0))
        lived, left = tokens.ages()
        remaining.append((app, left))
        if left:
            age.append((app, lived))
        breakers.append((app, tokens.breaker_remaining()))
    yield gauge("wecom_secret_readable", "1: the keys of this system open the app's secret.", readable, APP)
    yield gauge("wecom_token_remaining_seconds", "How long the app's token is good for; 0: no token.", remaining, APP)
    yield gauge("wecom_token_age_seconds", "How long ago WeCom gave the app its token.", age, APP)
    yield gauge(
        "wecom_breaker_seconds", "For how long nobody asks for a token; 0: the breaker is closed.", breakers, APP
    )
    yield gauge("wecom_paused_seconds", "For how long an endpoint is left alone.", paused, (*APP, "endpoint"))


directory = Runs(
    "directory_sync",
    owner="config",
    label="app",
    owners=WeComConfig.objects.filter(enabled=True),
    runs=DirectorySyncRun.objects.all(),
    rows={name: name for name in ("fetched", "created", "updated", "unchanged", "deleted", "failed")},
    types=DirectoryType.values,
    passed=DIRECTORY_APPLIED,
    awaited=Q(pk__in=directory_readers()),
)

register_source("wecom.apps", read_apps, lane="redis")
register_source("wecom.directory_runs", directory.read, lane="database")
