"""Django's and Celery's defaults: a connection per request and per task, early acknowledgement, prefetching."""

from config.settings import *  # noqa: F403
from config.settings import DATABASES, MIDDLEWARE

ROOT_URLCONF = "config.bench.variants.naive"
MIDDLEWARE = [name for name in MIDDLEWARE if not name.endswith("MachineLaneMiddleware")]
CELERY_IMPORTS = ["config.bench.variants.naive"]
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["CONN_HEALTH_CHECKS"] = False
CELERY_DB_REUSE_MAX = None  # type: ignore[assignment]  # Celery's own default
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
