"""A WeCom that lets an app do everything, to be taken away right by right."""

from __future__ import annotations

from typing import Any

from wecom.tests.peers import Peer

OK: dict[str, Any] = {"errcode": 0, "errmsg": "ok"}
NOBODY_REACHED: dict[str, Any] = {"errcode": 81013, "errmsg": "user & party & tag all invalid"}


def refusal(errcode: int, errmsg: str = "refused, hint: [17_1_ab], from ip: 198.51.100.7, more info") -> dict[str, Any]:
    return {"errcode": errcode, "errmsg": errmsg}


def grant_everything(peer: Peer) -> None:
    peer.answer("getcallbackip", {**OK, "ip_list": ["203.0.113.*"]})
    peer.answer("oa/getapprovalinfo", {**OK, "sp_no_list": []})
    names = [{"text": "报价审批", "lang": "zh_CN"}]
    peer.answer("oa/gettemplatedetail", {**OK, "template_names": names, "template_content": {"controls": []}})
    peer.answer("message/send", NOBODY_REACHED)
    peer.answer("department/simplelist", {**OK, "department_id": [{"id": 1, "parentid": 0, "order": 1}]})
    peer.answer("externalcontact/get_follow_user_list", {**OK, "follow_user": ["li.mei"]})
