"""The people of the tests: Li sells, Wang and Zhao approve, Chen looks after WeCom, Ada may do everything."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from approvals import engine, quotes
from approvals.actors import Actor, actor_for
from approvals.models import ApprovalInstance, Channel, Quote
from wecom.models import Member, WeComConfig

SALES = ("add_quote", "change_quote", "delete_quote", "view_quote", "submit_quote", "view_approvalinstance")
APPROVER = ("decide_approval", "view_quote", "view_approvalinstance")
INTEGRATION = ("sync_approval", "close_conflict", "view_quote", "view_approvalinstance")


def grant(user: User, *codenames: str) -> None:
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))


@pytest.fixture
def wecom_app(db: None) -> WeComConfig:
    return WeComConfig.objects.create(
        slug="default",
        name="报价助手",
        corp_id="wwfacade0123456789",
        agent_id=1000042,
        secret="app-secret",
        callback_token="QuoteDeskTok2026",
        encoding_aes_key="q7Rw2ZkT0mVx9LbN4cJpYf6HsGd1UeAo3iBt8WvKyE0",
        template_id="TplQuoteDemo",
        engine_template_id="TplQuoteEngine",
        is_default=True,
    )


@pytest.fixture
def person(wecom_app: WeComConfig) -> Callable[..., User]:
    def make(username: str, userid: str, *codenames: str, **extra: Any) -> User:
        user = User.objects.create_user(username, is_staff=True, **extra)
        grant(user, *codenames)
        if userid:
            Member.objects.create(config=wecom_app, userid=userid, name=username.title(), user=user)
        return user

    return make


@pytest.fixture
def li(person: Callable[..., User]) -> User:
    return person("li", "li.mei", *SALES)


@pytest.fixture
def wang(person: Callable[..., User]) -> User:
    return person("wang", "wang.boss", *APPROVER)


@pytest.fixture
def zhao(person: Callable[..., User]) -> User:
    return person("zhao", "zhao.vp", *APPROVER)


@pytest.fixture
def chen(person: Callable[..., User]) -> User:
    return person("chen", "chen.it", *INTEGRATION)


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    return person("ada", "", is_superuser=True)


@pytest.fixture
def as_actor() -> Callable[..., Actor]:
    def make(user: User, channel: str = Channel.INTERNAL) -> Actor:
        return actor_for(user, channel)

    return make


CONTENT: dict[str, Any] = {
    "title": "三号车间水泵",
    "customer_name": "华东机电",
    "currency": "CNY",
    "items": [
        {"name": "Pump X1", "specification": "DN50", "quantity": Decimal(3), "unit_price": Decimal("1200.50")},
        {"name": "Seal", "quantity": Decimal("2.5"), "unit_price": Decimal("9.99")},
    ],
}


@pytest.fixture
def quote(li: User) -> Quote:
    return quotes.create_quote(data=CONTENT, actor=actor_for(li, Channel.INTERNAL))


@pytest.fixture
def submitted(quote: Quote, li: User) -> Callable[..., ApprovalInstance]:
    """Submit the quote; ``sp_no`` given: WeCom has taken it."""

    def submit(*, flow: str = "wecom_oa", approvers: list[str] | None = None, sp_no: str = "") -> ApprovalInstance:
        instance = engine.submit(quote=quote, actor=actor_for(li, Channel.INTERNAL), flow=flow, approvers=approvers)
        if sp_no:
            instance = engine.submission_accepted(instance=instance, sp_no=sp_no)
        return instance

    return submit
