"""The chain of an approval: its nodes one after another, and in each the people who decide and how they agree.

Kept as JSON, on a rule as on an approval: ``[{"userids": ["zhao.vp"], "relation": "all"}, …]``. An empty chain means
the flow that is set up in WeCom's own template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from approvals.exceptions import InvalidInput
from approvals.models import Relation
from wecom.models import Member

MOST_APPROVERS = 30
"""In one node. More than anybody asks for; a bound on what a request can make WeCom do."""
MOST_NODES = 10


@dataclass(frozen=True, slots=True)
class Node:
    """``userids``: WeCom userids, each once and in their order. ``relation``: how they agree (``Relation``)."""

    userids: tuple[str, ...]
    relation: str = Relation.ALL


Chain = tuple[Node, ...]
Asked = Sequence[str | Mapping[str, Any]]
"""How a request names a chain: userids (one node), or objects of ``userids`` and ``relation`` (a node each)."""


def read(stored: Iterable[Mapping[str, Any]]) -> Chain:
    """The chain in a JSON column."""
    return tuple(Node(tuple(node["userids"]), node["relation"]) for node in stored)


def stored(chain: Chain) -> list[dict[str, Any]]:
    """For a JSON column."""
    return [{"userids": list(node.userids), "relation": str(node.relation)} for node in chain]


def everybody(chain: Chain) -> list[str]:
    """All userids, each once, in the order in which their turn comes."""
    return list(dict.fromkeys(userid for node in chain for userid in node.userids))


def asked_for(name: str, asked: Asked) -> Chain:
    """The chain that a request names in its field ``name``. Raises InvalidInput for that field."""
    plain = [entry for entry in asked if isinstance(entry, str)]
    if len(plain) == len(asked):
        return (_node(name, plain, Relation.ALL),) if plain else ()
    if plain:
        raise InvalidInput({name: [_("Either userids, or steps with userids of their own; not both.")]})
    if len(asked) > MOST_NODES:
        raise InvalidInput({name: [_("Too many steps.")]})
    return tuple(_asked_node(name, entry) for entry in asked)


def _asked_node(name: str, entry: Any) -> Node:
    userids = entry.get("userids") if isinstance(entry, Mapping) else None
    relation = entry.get("relation", Relation.ALL) if isinstance(entry, Mapping) else None
    if not isinstance(userids, list) or not userids or not all(isinstance(userid, str) for userid in userids):
        raise InvalidInput({name: [_("Each step needs a list of userids.")]})
    if relation not in Relation.values:
        raise InvalidInput({name: [_("How the people of a step agree is all, any or in_turn.")]})
    return _node(name, userids, relation)


def _node(name: str, userids: Sequence[str], relation: str) -> Node:
    require_userids(name, userids)
    once: dict[str, str] = {}
    for userid in userids:
        once.setdefault(userid.casefold(), userid)  # userids ignore case (doc 90195)
    return Node(tuple(once.values()), relation)


def require_userids(name: str, userids: Sequence[str]) -> None:
    """Raises InvalidInput on field ``name`` unless every entry can be a WeCom userid."""
    if len(userids) > MOST_APPROVERS:
        raise InvalidInput({name: [_("Too many people.")]})
    for userid in userids:
        try:
            Member._meta.get_field("userid").clean(userid, None)
        except ValidationError as error:
            raise InvalidInput({name: [_("“%(userid)s” is not a WeCom userid.") % {"userid": userid}]}) from error
