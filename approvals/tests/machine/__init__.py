"""One approval beside a small model of it, for ``test_state_machine``.

WeCom's form lives its own life, one fact after another; each may be heard at any time, in any order, repeatedly, by a
callback or a comparison, or not yet. The model never looks at the order in which facts were heard: it knows the latest
fact heard, and what had been decided here. So whenever the engine keeps to it, all orders of the same facts agree.
"""

from __future__ import annotations

from approvals.tests.machine.here import Here
from approvals.tests.machine.there import There

__all__ = ["Machine"]


class Machine(Here, There):
    """``flow``, ``policy`` and ``people`` are set by who lets it loose."""
