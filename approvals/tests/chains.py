"""Chains as a column holds them."""

from __future__ import annotations

from typing import Any

from approvals import chain
from approvals.chain import Node


def one_step(*userids: str, relation: str = "all") -> list[dict[str, Any]]:
    return chain.stored((Node(userids, relation),))
