"""Departments in the order of their tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from wecom.models import Department


class Node(NamedTuple):
    pk: int
    config_id: int
    remote_id: int
    parent_remote_id: int
    name: str


class Tree:
    """All departments of some apps, current or not; a parent that is not among them makes a root."""

    def __init__(self, rows: Iterable[Node]) -> None:
        """``rows``: siblings in the order in which they are to stand."""
        self._nodes = {(node.config_id, node.remote_id): node for node in rows}
        self._children: dict[tuple[int, int] | None, list[Node]] = defaultdict(list)
        for node in self._nodes.values():
            parent = (node.config_id, node.parent_remote_id)
            self._children[parent if parent in self._nodes else None].append(node)

    @classmethod
    def load(cls) -> Tree:
        """One statement."""
        rows = Department.objects.order_by("config", "-order", "remote_id")
        return cls(Node(*row) for row in rows.values_list(*Node._fields))

    def places(self) -> dict[int, tuple[int, int]]:
        """Each department's place in the list and its depth, by its primary key. Roots have depth 0."""
        found: dict[int, tuple[int, int]] = {}
        waiting = [(node, 0) for node in reversed(self._children[None])]
        while waiting:
            node, depth = waiting.pop()
            found[node.pk] = (len(found), depth)
            below = self._children[node.config_id, node.remote_id]
            waiting += [(child, depth + 1) for child in reversed(below)]
        for node in self._nodes.values():  # a ring, which WeCom should never tell
            found.setdefault(node.pk, (len(found), 0))
        return found

    def way(self, department: Any) -> list[str]:
        """Names from the root down to ``department``."""
        names: list[str] = []
        key, seen = (department.config_id, department.remote_id), set()
        while key in self._nodes and key not in seen:
            seen.add(key)
            node = self._nodes[key]
            names.append(node.name or str(node.remote_id))
            key = (node.config_id, node.parent_remote_id)
        return names[::-1]
