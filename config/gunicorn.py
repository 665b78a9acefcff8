"""gunicorn's configuration: ``gunicorn -c python:config.gunicorn config.wsgi``; WEB_CONCURRENCY sets the workers."""

from __future__ import annotations

from config.settings import LOGGING

worker_class = "gthread"
threads = 8
keepalive = 5
timeout = 60
graceful_timeout = 25
control_socket_disable = True
logconfig_dict = LOGGING
