"""A house with a WeCom next door, and the people who make and approve quotes."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from knox.models import AuthToken

from approvals.tests.e2e.clients import QuoteClient
from config.testing.database import Database
from config.testing.house import House as BaseHouse
from wecom.crypto import CallbackCrypto
from wecom.models import Member, WeComConfig
from wecom.tests.phone import Phone

CORP_ID = "wwe2e0123456789ab"
SECRET = "canary-corp-secret-7Qd2mZx9LbN4"
CALLBACK_TOKEN = "CanaryCallbackToken2026"
AES_KEY = "CanaryAesKey2026mVx9LbN4cJpYf6HsGd1UeAo3iE0"
TEMPLATE_ID = "TplQuoteDemo"
ENGINE_TEMPLATE_ID = "TplQuoteEngine"
PASSWORD = "canary-password-Tk7w"
CAST = {
    # user name → (WeCom userid, role)
    "li": ("li.mei", "sales"),
    "wang": ("wang.boss", "approver"),
    "zhao": ("zhao.vp", "approver"),
    "lin": ("admin.it", "integration_admin"),
}


class House(BaseHouse):
    """``clients`` by user name. Starts the stand-in and hires the people; ``open`` starts the rest."""

    def __init__(self, directory: Path, database: Database) -> None:
        super().__init__(directory, database)
        self.stack.environment |= {
            "PASSWORD_LOGIN": "everybody",
            "WECOM_CORP_ID": CORP_ID,
            "WECOM_AGENT_ID": "1000042",
            "WECOM_SECRET": SECRET,
            "WECOM_CALLBACK_TOKEN": CALLBACK_TOKEN,
            "WECOM_ENCODING_AES_KEY": AES_KEY,
            "WECOM_APPROVAL_TEMPLATE_ID": TEMPLATE_ID,
        }
        self.standin = self.stack.standin(callback_url=f"{self.url}/wecom/callback")
        self.phone = Phone(self.standin.url)
        with database.opened():
            self.clients = {name: QuoteClient(self.url, token) for name, token in _hire().items()}
        self.crypto = CallbackCrypto(CALLBACK_TOKEN, AES_KEY, CORP_ID)

    @property
    def li(self) -> QuoteClient:
        """Sells."""
        return self.clients["li"]

    @property
    def wang(self) -> QuoteClient:
        """Approves."""
        return self.clients["wang"]

    @property
    def lin(self) -> QuoteClient:
        """Looks after the connection to WeCom."""
        return self.clients["lin"]

    def secrets(self) -> dict[str, str]:
        """What must not be read anywhere: name → value."""
        tokens = {f"API token of {name}": client.token for name, client in self.clients.items()}
        own = {
            "corp secret": SECRET,
            "callback token": CALLBACK_TOKEN,
            "EncodingAESKey": AES_KEY,
            "password": PASSWORD,
        }
        return {**super().secrets(), **own, **tokens, **self._access_tokens()}

    def _access_tokens(self) -> dict[str, str]:
        """Every token that this WeCom has ever given."""
        import sqlite3

        with sqlite3.connect(self.directory / "standin.sqlite3") as store:
            rows = store.execute("SELECT token FROM tokens").fetchall()
        store.close()
        return {f"access token {place}": token for place, (token,) in enumerate(rows)}


def _hire() -> dict[str, str]:
    """Users with their roles and their places in WeCom; API tokens by user name."""
    config = WeComConfig.objects.create(
        slug="default",
        name="报价助手",
        corp_id=CORP_ID,
        agent_id=1000042,
        secret=SECRET,
        callback_token=CALLBACK_TOKEN,
        encoding_aes_key=AES_KEY,
        template_id=TEMPLATE_ID,
        engine_template_id=ENGINE_TEMPLATE_ID,
        is_default=True,
    )
    password = make_password(PASSWORD, hasher="pbkdf2_sha256")  # the processes know the production hashers only
    tokens = {}
    for name, (userid, role) in CAST.items():
        user = User.objects.create(username=name, password=password, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        Member.objects.create(config=config, userid=userid, name=name.title(), user=user)
        tokens[name] = AuthToken.objects.create(user)[1]
    return tokens
