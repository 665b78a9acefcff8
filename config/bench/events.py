"""Callbacks as WeCom sends them: distinct events of 2 KB, encrypted, signed and ready for the wire."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from django.conf import settings

from wecom.crypto import CallbackCrypto

EVENT_BYTES = 2048
"""Size of the decrypted XML; on the wire it is Base64 in an envelope, 3 KB."""
APPROVER = "wang.boss"
APPLICANT = "li.mei"
TEMPLATE = "TplQuoteDemo"
"""The stand-in's template of quotations."""

_nonces = itertools.count(1_000_000_000)


def event_xml(sp_no: str, *, status: int, change: int, at: int) -> str:
    """A ``sys_approval_change`` (doc 91815) of one approver, filled up to EVENT_BYTES with a comment.

    ``status``: SpStatus; ``change``: StatuChangeEvent; ``at``: Unix seconds. The approver has agreed unless it is 1.
    """
    step, decided = (1, 0) if status == 1 else (2, at)
    head = (
        f"<xml><ToUserName><![CDATA[{settings.WECOM_CORP_ID}]]></ToUserName>"
        "<FromUserName><![CDATA[sys]]></FromUserName>"
        f"<CreateTime>{at}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        "<Event><![CDATA[sys_approval_change]]></Event><AgentID>3010040</AgentID><ApprovalInfo>"
        f"<SpNoStr><![CDATA[{sp_no}]]></SpNoStr><SpNo>{sp_no}</SpNo><SpName><![CDATA[报价审批]]></SpName>"
        f"<SpStatus>{status}</SpStatus><TemplateId><![CDATA[{TEMPLATE}]]></TemplateId>"
        f"<ApplyTime>{at - 3600}</ApplyTime>"
        f"<Applyer><UserId><![CDATA[{APPLICANT}]]></UserId><Party><![CDATA[1]]></Party></Applyer>"
        f"<SpRecord><SpStatus>{step}</SpStatus><ApproverAttr>2</ApproverAttr><Details>"
        f"<Approver><UserId><![CDATA[{APPROVER}]]></UserId></Approver><Speech><![CDATA[]]></Speech>"
        f"<SpStatus>{step}</SpStatus><SpTime>{decided}</SpTime></Details></SpRecord>"
        f"<Comments><CommentUserInfo><UserId><![CDATA[{APPLICANT}]]></UserId></CommentUserInfo>"
        f"<CommentTime>{at - 1800}</CommentTime><CommentContent><![CDATA["
    )
    tail = (
        f"]]></CommentContent><CommentId><![CDATA[{at}]]></CommentId></Comments>"
        f"<ProcessList><NodeList><NodeType>1</NodeType><SpStatus>{step}</SpStatus><ApvRel>1</ApvRel><SubNodeList>"
        f"<UserInfo><UserId><![CDATA[{APPROVER}]]></UserId></UserInfo><Speech><![CDATA[]]></Speech>"
        f"<SpYj>{step}</SpYj><Sptime>{decided}</Sptime></SubNodeList></NodeList></ProcessList>"
        f"<StatuChangeEvent>{change}</StatuChangeEvent></ApprovalInfo></xml>"
    )
    return head + "x" * (EVENT_BYTES - len((head + tail).encode())) + tail


def request(crypto: CallbackCrypto, xml: str) -> bytes:
    """One HTTP request that carries ``xml``; every call has a nonce of its own."""
    encrypted = crypto.encrypt(xml.encode())
    timestamp, nonce = str(int(time.time())), str(next(_nonces))
    signature = crypto.sign(timestamp, nonce, encrypted)
    body = (
        f"<xml><ToUserName><![CDATA[{settings.WECOM_CORP_ID}]]></ToUserName>"
        f"<AgentID><![CDATA[3010040]]></AgentID><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    ).encode()
    head = (
        f"POST /wecom/callback?msg_signature={signature}&timestamp={timestamp}&nonce={nonce} HTTP/1.1\r\n"
        f"Host: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def distinct_requests(crypto: CallbackCrypto, count: int) -> Iterator[bytes]:
    """Requests about approvals that nobody here knows: intake stores them all the same."""
    now = int(time.time())
    for _ in range(count):
        yield request(crypto, event_xml(f"2026{next(_nonces)}", status=2, change=2, at=now))


def crypto() -> CallbackCrypto:
    """The pair that the processes of the bench are set up with."""
    return CallbackCrypto(settings.WECOM_CALLBACK_TOKEN, settings.WECOM_ENCODING_AES_KEY, settings.WECOM_CORP_ID)
