"""How a stand-in says no on its own pages and test interface, and the ways in which an answer may be spoiled."""

from __future__ import annotations


class ControlError(Exception):
    """A request of a person or a test that cannot be done; ``status`` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class ConnectionDropped(Exception):
    """The connection is to be closed without an answer."""


class BrokenAnswer(Exception):
    """The answer is to be an HTML page with this HTTP status, as from a failing gateway."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status
