"""What can go wrong with a remote library, as exceptions that explain themselves.

``str(error)`` is what an operator reads: what happened, and what to do. None carries the key or an address with a
query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.functional import Promise

from config.sentences import in_a_row

if TYPE_CHECKING:
    from projects.models import ProjectSyncHistory

Text = str | Promise


class RemoteError(Exception):
    """The library did not give what it was asked for. Raised only as one of its subclasses.

    ``sentence``, ``remedy``: for a person, lazy.
    """

    def __init__(self, sentence: Text, *, remedy: Text = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = remedy

    def __str__(self) -> str:
        return in_a_row(self.sentence, self.remedy)


class RemoteAway(RemoteError):
    """No answer: down, unreachable, too slow, busy."""


class RemoteRefused(RemoteError):
    """It answers and does not let us in (401, 403)."""


class RemoteLied(RemoteError):
    """What came is not what the contract says: HTML, half a page, broken JSON, another page than asked for."""


class BadProject(Exception):
    """One project of an answer cannot be used; the others can. ``str(error)`` is the reason, for a person."""

    @property
    def sentence(self) -> str:
        return str(self)


class AlreadyRunning(Exception):
    """The source has an open run; ``run`` is that one."""

    def __init__(self, run: ProjectSyncHistory) -> None:
        super().__init__(f"run {run.pk} is open")
        self.run = run
