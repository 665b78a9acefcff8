"""A company with customers at the other end of a socket, which the test changes as it likes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from wecom.tests.directory.company import Company
from wecom.tests.peers import Peer, Received

FIRST_SECOND = 1_700_000_000


@dataclass
class Crm(Company):
    """``contacts`` by ID, ``follows`` by customer and member, ``groups`` of tags by ID: what WeCom would tell."""

    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    follows: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    sellers: list[str] = field(default_factory=list)
    """Members who may have customers."""
    unlicensed: set[str] = field(default_factory=set)
    broken: dict[str, int] = field(default_factory=dict)
    """Members whose customers WeCom answers with an errcode."""
    most: int = 100
    """Customers on a page."""

    def customer(self, external_userid: str, *userids: str, **told: Any) -> dict[str, Any]:
        """With ``userids`` as followers, who become members who may have customers."""
        self.contacts[external_userid] = {
            "external_userid": external_userid,
            "name": f"客户{external_userid}",
            "type": 1,
            "avatar": "",
            "gender": 0,
            **told,
        }
        for userid in userids:
            self.follow(external_userid, userid)
        return self.contacts[external_userid]

    def follow(self, external_userid: str, userid: str, **told: Any) -> dict[str, Any]:
        """``tag_id`` as the batch tells them; ``get`` makes objects of them."""
        if userid not in self.sellers:
            self.sellers.append(userid)
        self.follows[external_userid, userid] = {
            "userid": userid,
            "remark": "",
            "description": "",
            "createtime": FIRST_SECOND,
            "tag_id": [],
            "remark_mobiles": [],
            "state": "",
            "add_way": 1,
            **told,
        }
        return self.follows[external_userid, userid]

    def unfollow(self, external_userid: str, userid: str) -> None:
        del self.follows[external_userid, userid]
        if not any(key[0] == external_userid for key in self.follows):
            del self.contacts[external_userid]

    def group(self, group_id: str, name: str = "等级", order: int = 1, **tags: str) -> dict[str, Any]:
        """``tags``: names by ID."""
        self.groups[group_id] = {"name": name, "order": order, "tags": dict(tags)}
        return self.groups[group_id]

    # -- endpoints ---------------------------------------------------------------------------------------------------

    def serve(self, peer: Peer) -> None:
        super().serve(peer)
        self.answer(peer, "department/get")
        peer.answer("externalcontact/get_follow_user_list", lambda _: {"errcode": 0, "follow_user": self.sellers})
        peer.answer("externalcontact/get_corp_tag_list", self.tags)
        peer.answer("externalcontact/batch/get_by_user", self.batch)
        peer.answer("externalcontact/get", self.one)

    def department_get(self, request: Received) -> dict[str, Any]:
        found = self.departments.get(int(request.query["id"]))
        return {"errcode": 0, "department": found} if found else {"errcode": 60003, "errmsg": "not found"}

    def tags(self, _request: Received) -> dict[str, Any]:
        return {
            "errcode": 0,
            "tag_group": [
                {
                    "group_id": group_id,
                    "group_name": group["name"],
                    "order": group["order"],
                    "tag": [{"id": key, "name": name, "order": 0} for key, name in group["tags"].items()],
                }
                for group_id, group in self.groups.items()
            ],
        }

    def batch(self, request: Received) -> dict[str, Any]:
        wanted = request.body["userid_list"]
        assert 0 < len(wanted) <= 100
        for userid in wanted:
            if userid in self.broken:
                return {"errcode": self.broken[userid], "errmsg": "broken"}
        licensed = [userid for userid in wanted if userid not in self.unlicensed]
        if not licensed:
            return {"errcode": 701008, "errmsg": "no licence"}
        rows = [
            {"external_contact": self.contacts[key], "follow_info": follow}
            for userid in licensed
            for (key, follower), follow in self.follows.items()
            if follower == userid
        ]
        if not rows and len(wanted) == 1:
            return {"errcode": 84061, "errmsg": "not external contact"}
        first = int(request.body.get("cursor") or 0)
        last = first + min(request.body["limit"], self.most)
        return {
            "errcode": 0,
            "external_contact_list": rows[first:last],
            "next_cursor": str(last) if len(rows) > last else "",
            "fail_info": {"unlicensed_userid_list": [userid for userid in wanted if userid in self.unlicensed]},
        }

    def one(self, request: Received) -> dict[str, Any]:
        wanted = request.query["external_userid"]
        followers = [follow for (key, _userid), follow in self.follows.items() if key == wanted]
        if not followers:
            return {"errcode": 84061, "errmsg": "not external contact"}
        named = [
            {key: value for key, value in follow.items() if key != "tag_id"}
            | {"tags": [{"tag_id": key, "type": 1, "tag_name": "x", "group_name": "y"} for key in follow["tag_id"]]}
            for follow in followers
        ]
        return {"errcode": 0, "external_contact": self.contacts[wanted], "follow_user": named}

    # -- what a mirror of it looks like ------------------------------------------------------------------------------

    def picture(self) -> dict[str, Any]:
        """In the shape of ``wecom.tests.contacts.mirror.picture``."""
        known = {key for group in self.groups.values() for key in group["tags"]}
        return json.loads(
            json.dumps(
                {
                    "departments": {str(key): [one["name"], one["parentid"]] for key, one in self.departments.items()},
                    "members": {
                        told["userid"]: [told["name"], sorted(told["department"]), told.get("mobile")]
                        for told in self.members.values()
                    },
                    "groups": {key: [group["name"], group["order"]] for key, group in self.groups.items()},
                    "tags": {key: [g, name] for g, group in self.groups.items() for key, name in group["tags"].items()},
                    "customers": {key: told["name"] for key, told in self.contacts.items()},
                    "follows": {
                        f"{key} {userid}": [told["remark"], sorted(set(told["tag_id"]) & known)]
                        for (key, userid), told in self.follows.items()
                    },
                }
            )
        )
