"""Fixtures for tests that call WeCom: a scripted peer, an app that points at it, and a client."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from wecom.client import WeComClient
from wecom.models import WeComConfig
from wecom.tests.peers import Peer

CANARY_SECRET = "canary-secret-5b1f"


@pytest.fixture
def peer(settings: Settings) -> Iterator[Peer]:
    """A scripted HTTP server that WECOM_API_BASE_URL points at. gettoken answers ``token-1``."""
    server = Peer()
    settings.WECOM_API_BASE_URL = server.url
    yield server
    server.close()


@pytest.fixture
def app() -> WeComConfig:
    """An app that no other test has, so that nothing in Redis is shared. Not saved: the client needs no database."""
    return WeComConfig(slug=f"app-{uuid.uuid4().hex[:8]}", corp_id="wwcorp", agent_id=1000002, secret=CANARY_SECRET)


@pytest.fixture
def wecom_client(peer: Peer, app: WeComConfig) -> WeComClient:
    """A client whose calls reach ``peer``."""
    return WeComClient(app)
