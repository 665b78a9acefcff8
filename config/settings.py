"""All settings, from the environment or ``.env``; ``.env.example`` explains each. Two tables that nobody's environment
changes, of the REST schema and of the admin's look, stand in modules of their own.

Nothing here raises: a wrong value becomes an entry of ``PROBLEMS``, which ``config.checks`` reports.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.urls import reverse_lazy

from config.environment import Environment
from config.logging import logging_config
from config.look import UNFOLD  # noqa: F401 - a setting of the admin's
from config.schema import SPECTACULAR_SETTINGS  # noqa: F401 - a setting of REST's

BASE_DIR = Path(__file__).resolve().parent.parent
# ENV_FILE="" reads no file at all (the tests: a developer's .env must not change their result)
_env_file = os.environ.get("ENV_FILE", str(BASE_DIR / ".env"))
env = Environment.load(os.environ, Path(_env_file) if _env_file else None)
PROBLEMS = env.problems

# --- Basics -----------------------------------------------------------------------------------------------------------

WRITE_ENV = "`make demo` writes a .env with fresh secrets; .env.example explains each setting."
DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY", default="placeholder so that checks can run", required=True, hint=WRITE_ENV)
FIELD_ENCRYPTION_KEYS = env.keys("FIELD_ENCRYPTION_KEYS", length=32, placeholder="A" * 43 + "=", hint=WRITE_ENV)
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
API_BASE_URL = env.url("API_BASE_URL", default="http://localhost:8000")
VAR_DIR = env.directory("VAR_DIR", default=BASE_DIR / "var")
APPROVAL_CONFLICT_POLICY = env.choice("APPROVAL_CONFLICT_POLICY", "first_wins", ["first_wins", "wecom_wins"])
APPROVAL_REMIND_MINUTES = env.integer("APPROVAL_REMIND_MINUTES", 10, least=1, most=10_080)

if not DEBUG and not ALLOWED_HOSTS:
    env.complain("ALLOWED_HOSTS", "is missing", "Name the hosts this site is reached under, separated by commas.")
if not DEBUG and env.values.get("SECRET_KEY") and (len(SECRET_KEY) < 50 or SECRET_KEY.startswith("django-insecure-")):
    env.complain("SECRET_KEY", "is too weak for DEBUG=false", "Use at least 50 random characters.")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "config",
    "approvals",
    "projects",
    "notifications",
    "wecom",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config.apps.ApiTokensConfig",
    "config.apps.AccessAttemptsConfig",
    "config.apps.SchedulesConfig",
    "django_structlog",
    "csp",
]

MIDDLEWARE = [
    # lanes come first: the web server asks them before Django, see config.lanes
    "projects.link_lane.LinkLane",
    "config.middleware.MachineLaneMiddleware",
    "config.middleware.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.CookieLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database ---------------------------------------------------------------------------------------------------------

try:
    VAR_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    env.complain("VAR_DIR", f"names a folder that cannot be made ({error.strerror})")

_database = env.database("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'quotebridge.sqlite3'}")
_database["CONN_MAX_AGE"] = None  # kept: a connection per request costs five times the CPU
_database["CONN_HEALTH_CHECKS"] = True
if _database["ENGINE"] == "django.db.backends.sqlite3":
    if _database["NAME"] != ":memory:":
        _database["NAME"] = str(BASE_DIR / _database["NAME"])
    # Without these, several processes lose half of their transactions to "database is locked".
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    # A server that falls silent (its machine gone, the network cut) answers nothing, not even "closed", and the kernel
    # would wait a quarter of an hour for it. Callbacks have seconds: unacknowledged data ends the connection after
    # three (milliseconds here), silence while an answer is awaited after 30 + 3 x 5.
    _database["OPTIONS"] = {
        "connect_timeout": 3,
        "tcp_user_timeout": 3000,
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        **_database.get("OPTIONS", {}),
    }
DATABASES = {"default": _database}

# --- Redis: cache, broker ---------------------------------------------------------------------------------------------

REDIS_URL = env.url("REDIS_URL", default="redis://127.0.0.1:6379/0", schemes=("redis", "rediss"))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "quotebridge",
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
    },
}

# --- Celery -----------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The defaults let a frozen broker block .delay() for more than a minute.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 3, "socket_connect_timeout": 2, "visibility_timeout": 3600}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # acknowledged late, so at worst it runs twice
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_DB_REUSE_MAX = 1000  # tasks per database connection; reconnecting for each costs two thirds of the throughput
CELERY_BEAT_SCHEDULER = "config.scheduler:HeartbeatScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1  # an edit of a schedule in admin is obeyed after about a second
CELERY_BEAT_SYNC_EVERY = 1

# --- Language and time ------------------------------------------------------------------------------------------------

LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "zh-hans", [code for code, _name in LANGUAGES])
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "vendor"]
FORMAT_MODULE_PATH = "config.formats"
USE_TZ = True
TIME_ZONE = env.time_zone("TIME_ZONE", "Asia/Shanghai")
CELERY_TIMEZONE = TIME_ZONE

# --- Static files -----------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"  # beside the code it was collected from, not among the data of VAR_DIR
with contextlib.suppress(OSError):  # a folder that only collectstatic needs
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# True after `manage.py collectstatic`: hashed, compressed files. False serves them straight from the packages.
STATIC_COLLECTED = env.boolean("STATIC_COLLECTED", default=False)
WHITENOISE_USE_FINDERS = not STATIC_COLLECTED
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}

# --- Security ---------------------------------------------------------------------------------------------------------

HTTPS_ONLY = env.boolean("HTTPS_ONLY", default=not DEBUG)
BEHIND_PROXY = env.boolean("BEHIND_PROXY", default=False)
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SECURE_HSTS_PRELOAD = HTTPS_ONLY
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS_ONLY
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 31_536_000
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000  # the admin sends seven for each of a quote's items (approvals.quotes.MOST_ITEMS)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, UNSAFE_EVAL],  # the admin's Alpine evaluates its attributes
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "worker-src": [SELF, "blob:"],  # ReDoc's search
        "frame-ancestors": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "object-src": [NONE],
    },
}

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "wecom.login.backends.PasswordGate",
    "django.contrib.auth.backends.ModelBackend",
    "wecom.login.backends.WeComMemberBackend",
]
PASSWORD_LOGIN = env.choice("PASSWORD_LOGIN", "superusers", ["everybody", "superusers"])
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")  # for who opened the log-in page itself: its form names no next page

AXES_HANDLER = "config.login_guard.LogInGuard"  # in the database: survives a restart and an outage of Redis
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "locked_out.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_IPWARE_PROXY_COUNT = 1 if BEHIND_PROXY else None
AXES_IPWARE_META_PRECEDENCE_ORDER = ["HTTP_X_FORWARDED_FOR"] if BEHIND_PROXY else ["REMOTE_ADDR"]
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code", "state"]  # masked in what it keeps of a request
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False  # registered in config.admin on the house's own base class

# --- REST -------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.BoundedJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "config.rest.PageNumbers",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["config.throttling.UserThrottle"],  # strangers: config.rest.exception_handler
    # link_refused: per address, of those who come with a project's link; wecom_login: per address
    "DEFAULT_THROTTLE_RATES": {"anon": "60/min", "user": "600/min", "link_refused": "30/min", "wecom_login": "60/min"},
    "NUM_PROXIES": 1 if BEHIND_PROXY else 0,
    "EXCEPTION_HANDLER": "config.rest.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Token",
    "TOKEN_PREFIX": "qb_",  # lets secret scanners, and our own logs, recognise a leaked token
    "TOKEN_TTL": timedelta(days=90),
}

# --- WeCom: credentials bootstrap the default WeComConfig; afterwards admin rules -------------------------------------

WECOM_CORP_ID = env.text("WECOM_CORP_ID")
WECOM_AGENT_ID = env.integer("WECOM_AGENT_ID", 0, least=1, most=999_999_999)
WECOM_SECRET = env.text("WECOM_SECRET")
WECOM_CALLBACK_TOKEN = env.text("WECOM_CALLBACK_TOKEN")
WECOM_ENCODING_AES_KEY = env.aes_key("WECOM_ENCODING_AES_KEY")
WECOM_CALLBACK_URL = env.url("WECOM_CALLBACK_URL", default=f"{API_BASE_URL}/wecom/callback")
WECOM_API_BASE_URL = env.url("WECOM_API_BASE_URL", default="https://qyapi.weixin.qq.com")
WECOM_APPROVAL_TEMPLATE_ID = env.text("WECOM_APPROVAL_TEMPLATE_ID")
WECOM_ENGINE_TEMPLATE_ID = env.text("WECOM_ENGINE_TEMPLATE_ID")
WECOM_DEFAULT_APPLICANT = env.text("WECOM_DEFAULT_APPLICANT")
WECOM_CALLS_PER_MINUTE = env.integer("WECOM_CALLS_PER_MINUTE", 600, least=1, most=100_000)
WECOM_STANDIN_URL = env.url("WECOM_STANDIN_URL", default="")
WECOM_LOGIN_HOST = WECOM_STANDIN_URL or "https://login.work.weixin.qq.com"  # the page with the QR code
WECOM_OAUTH_HOST = WECOM_STANDIN_URL or "https://open.weixin.qq.com"  # inside WeCom
WECOM_JSSDK_URL = (  # doc 98416
    f"{WECOM_STANDIN_URL}/jssdk.js"
    if WECOM_STANDIN_URL
    else "https://wwcdn.weixin.qq.com/node/open/js/wecom-jssdk-2.0.2.js"
)
# A form that is sent after the session ended leads to the log-in page, and inside WeCom from there straight on.
CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append(WECOM_OAUTH_HOST)

env.together("WECOM_CORP_ID", "WECOM_AGENT_ID", "WECOM_SECRET")
env.together("WECOM_CALLBACK_TOKEN", "WECOM_ENCODING_AES_KEY")
if WECOM_STANDIN_URL and WECOM_STANDIN_URL != WECOM_API_BASE_URL:
    env.complain("WECOM_STANDIN_URL", "differs from WECOM_API_BASE_URL", "Leave it empty to work with the real WeCom.")

# --- Projects: address and key bootstrap the default RemoteSource; afterwards admin rules ----------------------------

REMOTE_API_BASE_URL = env.url("REMOTE_API_BASE_URL", default="")
REMOTE_API_KEY = env.text("REMOTE_API_KEY")
# the first signs links, all of them are believed; without any, a key that follows from SECRET_KEY
PROJECT_TOKEN_KEYS = env.long_texts(
    "PROJECT_TOKEN_KEYS", [hashlib.sha256(f"project links:{SECRET_KEY}".encode()).hexdigest()], least=32
)
PROJECTS_STANDIN_URL = env.url("PROJECTS_STANDIN_URL", default="")

if PROJECTS_STANDIN_URL and PROJECTS_STANDIN_URL != REMOTE_API_BASE_URL:
    env.complain("PROJECTS_STANDIN_URL", "differs from REMOTE_API_BASE_URL", "Leave it empty to use a real library.")

# --- Messages ---------------------------------------------------------------------------------------------------------

vars().update(env.email("EMAIL_URL", default="consolemail://"))  # EMAIL_BACKEND, EMAIL_HOST, …
EMAIL_TIMEOUT = 10  # seconds; without it a silent mail server holds a worker for ever
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", default="quotebridge@localhost")
SMS_BACKEND = env.choice("SMS_BACKEND", "console", ["console", "tencent", "aliyun"])
SMS_ACCESS_KEY_ID = env.text("SMS_ACCESS_KEY_ID")
SMS_ACCESS_KEY_SECRET = env.text("SMS_ACCESS_KEY_SECRET")
SMS_APP_ID = env.text("SMS_APP_ID")
SMS_SIGN_NAME = env.text("SMS_SIGN_NAME")
SMS_REGION = env.text("SMS_REGION")
SMS_ENDPOINT = env.text("SMS_ENDPOINT")
ALERT_URLS = env.names("ALERT_URLS")

if SMS_BACKEND != "console":
    env.together("SMS_ACCESS_KEY_ID", "SMS_ACCESS_KEY_SECRET", "SMS_SIGN_NAME")

# --- Metrics ----------------------------------------------------------------------------------------------------------

METRICS_TOKEN = env.long_text("METRICS_TOKEN", least=32)
METRICS_ALLOW = env.networks("METRICS_ALLOW")

# --- Logs -------------------------------------------------------------------------------------------------------------

LOG_FORMAT = env.choice("LOG_FORMAT", "console" if DEBUG else "json", ["console", "json"])
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])
LOGGING = logging_config(log_format=LOG_FORMAT, level=LOG_LEVEL)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = 10  # one line per request is enough: the one at its end
DJANGO_STRUCTLOG_CELERY_TASK_START_LOG_LEVEL = 10
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
