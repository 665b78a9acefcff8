"""gunicorn's configuration: ``gunicorn -c python:config.gunicorn config.wsgi``; WEB_CONCURRENCY sets the workers."""

from __future__ import annotations

from config.settings import LOG_LEVEL, LOGGING

worker_class = "gthread"
threads = 8
keepalive = 5
timeout = 60
graceful_timeout = 25
control_socket_disable = True
# gunicorn gives its logger a handler of its own; its lines must look like all the others
logconfig_dict = {
    **LOGGING,
    "loggers": {
        **LOGGING["loggers"],
        "gunicorn.error": {"level": LOG_LEVEL, "handlers": ["stderr"], "propagate": False},
    },
}
