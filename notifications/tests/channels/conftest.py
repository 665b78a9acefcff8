"""Real servers for the channels to talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from notifications.tests.channel_peers import MailServer
from wecom.models import WeComConfig
from wecom.tests.peers import Peer


@pytest.fixture
def mail_server(settings) -> Iterator[MailServer]:
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 1
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.DEFAULT_FROM_EMAIL = "Quotebridge <bridge@example.com>"
    yield server
    server.close()


@pytest.fixture
def wecom_peer(settings, db) -> Iterator[Peer]:
    """A scripted WeCom with a configured app; every message is accepted."""
    server = Peer()
    settings.WECOM_API_BASE_URL = server.url
    WeComConfig.objects.create(slug="default", name="app", corp_id="ww1", agent_id=1000002, secret="s", is_default=True)
    server.answer("message/send", {"errcode": 0, "errmsg": "ok", "invaliduser": "", "msgid": "m1"})
    yield server
    server.close()
