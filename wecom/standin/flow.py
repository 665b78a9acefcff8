"""How a form travels: nodes in a row, each with people who must all, any, or one after another decide.

Plain data in, plain data changed in place; no storage, no clock. A node is
``{"type", "rel", "status", "people": [{"userid", "status", "speech", "at"}]}`` with WeCom's own codes
(doc 91983): type 1 approver, 2 copy, 3 handler; rel 1 all, 2 any, 3 in turn; at 0 = not acted.
"""

from __future__ import annotations

from typing import Any

from config.standin.errors import ControlError

APPROVER, COPY, HANDLER = 1, 2, 3
ALL, ANY, IN_TURN = 1, 2, 3
PENDING, AGREED, REJECTED, TRANSFERRED, RETURNED, HANDLED = 1, 2, 3, 4, 11, 14

Node = dict[str, Any]
Person = dict[str, Any]


def new_node(kind: int, relation: int, userids: list[str]) -> Node:
    return {"type": kind, "rel": relation, "status": PENDING, "people": [new_person(userid) for userid in userids]}


def new_person(userid: str) -> Person:
    return {"userid": userid, "status": PENDING, "speech": "", "at": 0}


def current_index(nodes: list[Node]) -> int | None:
    """The node whose turn it is; None when all have decided or one has rejected."""
    for index, node in enumerate(nodes):
        if node["type"] == COPY or node["status"] in (AGREED, HANDLED):
            continue
        return None if node["status"] == REJECTED else index
    return None


def waiting(nodes: list[Node]) -> list[str]:
    """The userids who may decide now."""
    index = current_index(nodes)
    return [] if index is None else [person["userid"] for person in _open_people(nodes[index])]


def agree(nodes: list[Node], userid: str, speech: str, at: int) -> bool:
    """Records an agreement (a handler's "done"). True when it was the last one the form needed."""
    node, person = _place(nodes, userid)
    verdict = HANDLED if node["type"] == HANDLER else AGREED
    _sign(person, verdict, speech, at)
    if node["rel"] == ANY or not _open_people(node):
        node["status"] = verdict
    return current_index(nodes) is None


def reject(nodes: list[Node], userid: str, speech: str, at: int) -> None:
    node, person = _place(nodes, userid)
    _sign(person, REJECTED, speech, at)
    node["status"] = REJECTED


def transfer(nodes: list[Node], userid: str, to: str, speech: str, at: int) -> None:
    """Hands one person's decision to somebody else, who takes the place right behind."""
    node, person = _place(nodes, userid)
    if any(other["userid"] == to for other in node["people"]):
        raise ControlError(409, f"{to} already belongs to this node")
    _sign(person, TRANSFERRED, speech, at)
    node["people"].insert(node["people"].index(person) + 1, new_person(to))


def send_back(nodes: list[Node], userid: str, to: str, speech: str, at: int) -> None:
    """Returns the form to somebody who agreed before (退回); everybody from there on decides again."""
    node, person = _place(nodes, userid)
    here = nodes.index(node)
    earlier = [
        (index, other["userid"])
        for index, candidate in enumerate(nodes[: here + 1])
        for other in candidate["people"]
        if other["status"] in (AGREED, HANDLED) and other["userid"] != userid
    ]
    targets = [index for index, name in earlier if not to or name == to]
    if not targets:
        raise ControlError(409, "there is nobody before this person to return the form to")
    for candidate in nodes[targets[-1] : here + 1]:
        _reopen(candidate)
    _sign(person, RETURNED, speech, at)


def _reopen(node: Node) -> None:
    if node["type"] == COPY:
        return
    node["status"] = PENDING
    for person in node["people"]:
        if person["status"] in (AGREED, HANDLED):
            person.update(status=PENDING, speech="", at=0)


def _open_people(node: Node) -> list[Person]:
    # Who returned the form decides again once it comes back, hence RETURNED counts as open.
    people = [person for person in node["people"] if person["status"] in (PENDING, RETURNED)]
    return people[:1] if node["rel"] == IN_TURN else people


def _place(nodes: list[Node], userid: str) -> tuple[Node, Person]:
    """The current node and the person in it who acts. Raises ControlError 409 or 403."""
    index = current_index(nodes)
    if index is None:
        raise ControlError(409, "nobody has to decide on this form any more")
    for person in _open_people(nodes[index]):
        if person["userid"].casefold() == userid.casefold():
            return nodes[index], person
    raise ControlError(403, f"it is not {userid}'s turn; waiting for {', '.join(waiting(nodes))}")


def _sign(person: Person, status: int, speech: str, at: int) -> None:
    person.update(status=status, speech=speech, at=at)
