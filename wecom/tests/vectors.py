"""Test vectors of the callback protocol and the means to make more: what WeCom's side of the wire would send."""

from __future__ import annotations

from dataclasses import dataclass

from wecom.crypto import CallbackCrypto

TOKEN = "QuoteDeskTok2026"
AES_KEY = "q7Rw2ZkT0mVx9LbN4cJpYf6HsGd1UeAo3iBt8WvKyE0"
CORP_ID = "wwfacade0123456789"
TIMESTAMP = "1767225600"
NONCE = "8840217365"
PREFIX = b"0123456789abcdef"

OTHER_TOKEN = "AnotherToken2027"
OTHER_AES_KEY = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"


@dataclass(frozen=True)
class Vector:
    message: str
    encrypted: str
    signature: str


POSTED = Vector(
    message=(
        "<xml><ToUserName><![CDATA[wwfacade0123456789]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>"
        "<CreateTime>1767225600</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        "<Event><![CDATA[sys_approval_change]]></Event><AgentID>1000042</AgentID><ApprovalInfo>"
        "<SpNoStr><![CDATA[202601010001]]></SpNoStr><SpNo>202601010001</SpNo><SpName><![CDATA[报价审批]]></SpName>"
        "<SpStatus>2</SpStatus><StatuChangeEvent>2</StatuChangeEvent></ApprovalInfo></xml>"
    ),
    encrypted=(
        "3zPC8Z7StMUeyQzXfjTGxgTM3Ad5hf/PeBCJSids5e2A4qAdI0ucm0T+QfOsJMXYz+bHOH8stRnVktHVfAT03CK5yrVd8/PAX0keFnpUkxv2"
        "ETLFgOtOlYFqWC0qVFNoKaBRfK/6o5a1yV4xB/75e1EXhD74WPdqkCL+ygKUZ4HDCQCyWjhpxiR+2Zmy9WiXkBDUqcRaevQqGDkNILHQNNjA"
        "kIG+CcqLOb74e2eQbjS/a4JqrQLbntos5/tABeQO8YtifWOnvn0Bxmp2EkG0AbrQPJ+9h2LyDx5+9Xh5SXtZ0jNGVKd1kzj3jijoFFk3l91j"
        "8oO6B1cgRjtON8PZE0LWOIvrXngbHviofhq8Eh7RvnQng9r2tW9RQWmd+wEVjwyUu8X6q/n444q9jAMZ3Tg5sqMJZse1Mma7KfvrJSDXbhyF"
        "+XiX0ZAMVaVnVK5jA2Lzl7J94CJuL9q82G8zpJUU8XsrVhb1nLOk8+31bGNrcSqt31XZvA6/nXhEhx3XAxTZEiYCcjdFd11Xgk/AUB08abwn"
        "+5jmsyUSd3CMeKewL1bPfgGbiJ/BHPq/PzxBJy7z1bww05A68Ip7OsNtE/H92xp6EhiY5VV2bkDvZeXr7dcI6ttZ0CUOFQxM9w6HYkbxcKYy"
        "/hpykN64ZDO6BEFcdfx4Upot4YTUGqtfyIw="
    ),
    signature="3f93603a11c2221721ec0d0c7ca6907b68d8ff60",
)
ECHO = Vector(
    message="7731904468820155973",
    encrypted="3zPC8Z7StMUeyQzXfjTGxtstZ2rT9akCeXoCUycU+AW4zjdQDazyRu+4+/5EUft+fKDs0Hga6GcNjDgZB1hvuQ==",
    signature="bc89d5d78a204f96a5fb9a2106553d7947f1b0d8",
)
ALIGNED = Vector(
    message="ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    encrypted=(
        "3zPC8Z7StMUeyQzXfjTGxj9FlpqVFN237AC2CaiqBHAhdTgKLkxJty4VDDce13BnloRNa3DWkvDGLdr28r8njVJU9Ihn4ixiap8dnhel3ARP"
        "o387duRAoFmNL5RewiCS"
    ),
    signature="bf7c1af1e84b839970e27a109bd66db9cba18e10",
)


def crypto(token: str = TOKEN, aes_key: str = AES_KEY, corp_id: str = CORP_ID) -> CallbackCrypto:
    return CallbackCrypto(token, aes_key, corp_id)


def envelope(encrypted: str) -> bytes:
    """The outer packet of a POST (doc 90930)."""
    return (
        f"<xml><ToUserName><![CDATA[{CORP_ID}]]></ToUserName><AgentID><![CDATA[1000042]]></AgentID>"
        f"<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    ).encode()


def signed(
    message: str | bytes, *, timestamp: str = TIMESTAMP, nonce: str = NONCE, by: CallbackCrypto | None = None
) -> tuple[dict[str, str], bytes]:
    """Query and body of a callback that carries ``message``."""
    by = by or crypto()
    encrypted = by.encrypt(message.encode() if isinstance(message, str) else message)
    query = {"msg_signature": by.sign(timestamp, nonce, encrypted), "timestamp": timestamp, "nonce": nonce}
    return query, envelope(encrypted)


def approval_event(sp_no: str = "202601010001", *, status: int = 2, change: int = 2, extra: str = "") -> str:
    """A short sys_approval_change."""
    return (
        f"<xml><ToUserName><![CDATA[{CORP_ID}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>"
        "<CreateTime>1767225600</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        "<Event><![CDATA[sys_approval_change]]></Event><AgentID>3010040</AgentID><ApprovalInfo>"
        f"<SpNoStr><![CDATA[{sp_no}]]></SpNoStr><SpStatus>{status}</SpStatus>{extra}"
        f"<StatuChangeEvent>{change}</StatuChangeEvent></ApprovalInfo></xml>"
    )
