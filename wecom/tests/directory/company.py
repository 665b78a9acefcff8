"""A company at the other end of a socket, which the test changes as it likes; it answers as WeCom does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from wecom.tests.peers import Peer, Received

ROOT = 1


@dataclass
class Company:
    """``departments`` by ID, ``members`` by userid: what WeCom would tell of each."""

    departments: dict[int, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    """Userids that the app cannot see."""
    too_large: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        if not self.departments:
            self.department(ROOT, name="总部", parentid=0)

    def department(self, number: int, **told: Any) -> dict[str, Any]:
        self.departments[number] = {
            "id": number,
            "name": f"部门{number}",
            "name_en": "",
            "department_leader": [],
            "parentid": ROOT,
            "order": 100 - number,
            **told,
        }
        return self.departments[number]

    def member(self, userid: str, *departments: int, **told: Any) -> dict[str, Any]:
        places = list(departments or (ROOT,))
        self.members[userid] = {
            "userid": userid,
            "name": f"姓名{userid}",
            "alias": "",
            "position": "工程师",
            "department": places,
            "order": [0] * len(places),
            "is_leader_in_dept": [0] * len(places),
            "main_department": places[0],
            "direct_leader": [],
            "telephone": "",
            "gender": "0",
            "status": 1,
            "extattr": {"attrs": []},
            **told,
        }
        return self.members[userid]

    def have(self, count: int, *departments: int) -> None:
        for number in range(count):
            self.member(f"u{number:03d}", *departments)

    def remove(self, *userids: str) -> None:
        for userid in userids:
            del self.members[userid]

    def of(self, department: int) -> list[dict[str, Any]]:
        return [told for told in self._visible() if department in told["department"]]

    def _visible(self) -> Iterable[dict[str, Any]]:
        return [told for userid, told in self.members.items() if userid not in self.outside]

    # -- endpoints ---------------------------------------------------------------------------------------------------

    def serve(self, peer: Peer) -> None:
        for endpoint in ("department/list", "department/simplelist", "user/list", "user/simplelist", "user/get"):
            self.answer(peer, endpoint)
        self.answer(peer, "user/list_id")
        peer.answer("externalcontact/get_follow_user_list", {"errcode": 0, "follow_user": []})
        peer.answer("externalcontact/get_corp_tag_list", {"errcode": 0, "tag_group": []})

    def answer(self, peer: Peer, endpoint: str, *before: Any) -> None:
        """``before``: answers of the next calls; then as it should."""
        handler = getattr(self, endpoint.replace("/", "_"))
        peer.answer(endpoint, *before, handler)

    def department_list(self, request: Received) -> dict[str, Any]:
        return {"errcode": 0, "department": list(self.departments.values())}

    def department_simplelist(self, request: Received) -> dict[str, Any]:
        keys = ("id", "parentid", "order")
        return {"errcode": 0, "department_id": [{k: one[k] for k in keys} for one in self.departments.values()]}

    def user_list(self, request: Received) -> dict[str, Any]:
        department = int(request.query["department_id"])
        if department not in self.departments:
            return {"errcode": 60003, "errmsg": "department not found"}
        if department in self.too_large:
            return {"errcode": 45029, "errmsg": "too large"}
        return {"errcode": 0, "userlist": self.of(department)}

    def user_simplelist(self, request: Received) -> dict[str, Any]:
        keys = ("userid", "name", "department")
        members = self.of(int(request.query["department_id"]))
        return {"errcode": 0, "userlist": [{key: told[key] for key in keys} for told in members]}

    def user_get(self, request: Received) -> dict[str, Any]:
        wanted = request.query["userid"].lower()
        for told in self._visible():
            if told["userid"].lower() == wanted:
                return {"errcode": 0, **told}
        return {"errcode": 60111, "errmsg": "userid not found"}

    def user_list_id(self, request: Received) -> dict[str, Any]:
        body = json.loads(request.content)
        rows = [{"userid": u, "department": d} for u, told in self.members.items() for d in told["department"]]
        first = int(body.get("cursor") or 0)
        last = first + 3  # short pages, so that there are several
        return {"errcode": 0, "dept_user": rows[first:last], "next_cursor": str(last) if len(rows) > last else ""}
