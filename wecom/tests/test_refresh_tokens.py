"""The scheduled renewal of access tokens."""

from __future__ import annotations

import pytest

from wecom.client import for_config
from wecom.models import WeComConfig
from wecom.tasks import refresh_tokens
from wecom.tests.peers import Peer

pytestmark = pytest.mark.django_db


def make_app(slug: str, **fields: object) -> WeComConfig:
    return WeComConfig.objects.create(slug=slug, name=slug, corp_id="wwcorp", agent_id=7, secret="s", **fields)


def test_tokens_that_end_soon_are_renewed_the_others_are_left_alone(peer: Peer):
    app = make_app("one")
    answers = [{"errcode": 0, "access_token": f"t{lifetime}", "expires_in": lifetime} for lifetime in (1000, 7200)]
    peer.answer("gettoken", *answers)
    assert for_config(app).tokens.get() == "t1000"
    assert refresh_tokens() == 1
    assert for_config(app).tokens.get() == "t7200"
    assert refresh_tokens() == 0
    assert len(peer.calls("gettoken")) == 2


def test_an_app_that_wecom_refuses_does_not_stop_the_others(peer: Peer):
    make_app("a-refused")
    fine = make_app("b-fine")
    make_app("c-switched-off", enabled=False)
    refusal = {"errcode": 40013, "errmsg": "invalid corpid"}
    peer.answer("gettoken", refusal, {"errcode": 0, "access_token": "t", "expires_in": 7200})
    assert refresh_tokens() == 1
    assert for_config(fine).tokens.get() == "t"
