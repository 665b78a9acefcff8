"""What the rules of this layer look at. Each function returns what it finds; see ``notifications.alert_rules``.

The scheduler and the worker are judged by their signs of life in Redis. Redis cannot say how long a part has been
silent, because a sign ends by itself; so whoever finds one silent leaves a note with the time. Without Redis nothing
is known of either, and the rules leave their incidents as they are (``/health/ready`` says that Redis is away).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from django.db.models import Count, Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from config import heartbeat
from config.durable import Status
from notifications import dead_rows
from notifications.alert_rules import Finding, register_rule
from notifications.models import AlertRuleKind
from notifications.phrases import Phrase
from wecom.errors import RetryableError, WeComError
from wecom.models import CallbackEvent, WeComConfig
from wecom.tokens import TokenStore

PARKED = "parked:"
BREAKER = "breaker:"
SILENCE_KEPT = timedelta(days=30)

_PARKED_TITLE = gettext_noop("Callbacks wait for approvals that are not known here")
_PARKED_DETAIL = gettext_noop("%(count)d events have waited for more than %(hours)d hours.")
_PARKED_REMEDY = gettext_noop(
    "Look at the parked callback events. Forms filled in by hand in WeCom are given up after some days by themselves; "
    "for others compare their numbers with the quotes."
)
_BREAKER_TITLE = gettext_noop("WeCom gives no access token to the app %(app)s")
_SILENT = {
    "beat": (
        gettext_noop("The scheduler (beat) is silent"),
        gettext_noop("Nothing has been heard of it for %(minutes)d minutes; schedules stand still."),
        gettext_noop("Start exactly one: “celery -A config beat”. If it runs, check that it uses the same REDIS_URL."),
    ),
    "worker": (
        gettext_noop("No worker answers"),
        gettext_noop("Nothing has been heard of one for %(minutes)d minutes; nothing is sent, and events wait."),
        gettext_noop("Start one: “celery -A config worker”. If it runs, check that it uses the same REDIS_URL."),
    ),
}


def parked_events(hours: int) -> list[Finding]:
    """Events that have waited longer than ``hours`` for their approval to become known."""
    parked = CallbackEvent.objects.filter(status=Status.FAILED, parked_at__lt=timezone.now() - timedelta(hours=hours))
    found = parked.aggregate(count=Count("pk"), latest=Max("parked_at"))
    if not found["count"]:
        return []
    return [
        Finding(
            f"{PARKED}events",
            title=Phrase(_PARKED_TITLE),
            detail=Phrase(_PARKED_DETAIL, count=found["count"], hours=hours),
            remedy=Phrase(_PARKED_REMEDY),
            since=found["latest"] + timedelta(hours=hours),
        )
    ]


def refused_apps(_apps: int) -> list[Finding]:
    """Apps that WeCom refuses a token for good. (What passes by itself opens the breaker for seconds only.)

    The breaker closes after minutes, so that somebody asks again; until an app has a token the trouble is not over.
    """
    found = []
    for config in WeComConfig.objects.filter(enabled=True):
        key, title = f"{BREAKER}{config.slug}", Phrase(_BREAKER_TITLE, app=config.name)
        try:
            tokens = TokenStore(config)
            tokens.check_breaker()
            if not tokens.remaining():
                found.append(Finding(key, title, opens=False))
        except RetryableError:
            found.append(Finding(key, title, opens=False))
        except WeComError as error:
            found.append(Finding(key, title, str(error.sentence), str(error.remedy)))
    return found


def silent(part: heartbeat.Part, minutes: int) -> list[Finding]:
    """``part`` when it has not been heard of for ``minutes``. Raises redis.RedisError."""
    since = silent_since(part)
    waited = (timezone.now() - since).total_seconds() / 60 if since else 0.0
    if since is None or waited < minutes:
        return []
    title, detail, remedy = _SILENT[part]
    return [Finding(f"{part}:silent", Phrase(title), Phrase(detail, minutes=round(waited)), Phrase(remedy))]


def silent_since(part: heartbeat.Part) -> datetime | None:
    """When somebody first found ``part`` silent, as far as it still is. Raises redis.RedisError."""
    key, now = f"quotebridge:silent:{part}", timezone.now()
    if heartbeat.is_alive(part):
        heartbeat.redis().delete(key)
        return None
    earlier = heartbeat.redis().set(key, now.isoformat(), nx=True, get=True, ex=SILENCE_KEPT)
    return datetime.fromisoformat(str(earlier)) if earlier else now


register_rule(
    AlertRuleKind.DEAD_ROWS,
    dead_rows.measure,
    prefix=dead_rows.PREFIX,
    default=1,
    unit=_("dead rows"),
    over=dead_rows.is_over,
)
register_rule(AlertRuleKind.PARKED, parked_events, prefix=PARKED, default=24, unit=_("hours"))
register_rule(AlertRuleKind.BREAKER, refused_apps, prefix=BREAKER, default=1, unit=_("apps"))
register_rule(AlertRuleKind.BEAT, partial(silent, "beat"), prefix="beat:", default=3, unit=_("minutes"))
register_rule(AlertRuleKind.WORKER, partial(silent, "worker"), prefix="worker:", default=3, unit=_("minutes"))
