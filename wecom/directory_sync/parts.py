"""What a run of each type consists of, and what every part of it must be able to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from wecom.directory_sync.diff import PartDifference
from wecom.models import DirectoryType, WeComConfig

if TYPE_CHECKING:
    from wecom.client import WeComClient
    from wecom.directory_sync.fetch import Reading

READING_ENDPOINT = "user/list"
"""Nearly all calls of a run are of this kind or have its limits."""

Answer = TypeVar("Answer")


class Ask(Protocol):
    """Makes one call to WeCom, once; raises what the client raises."""

    def __call__(self, call: Callable[[WeComClient], Answer], /) -> Answer: ...


class Part(ABC):
    """One type of a run: ``fetch`` and ``compare`` before the transaction, ``apply`` inside it.

    ``reading`` is shared by the parts of one run; an earlier part leaves there what a later one needs.
    """

    kind: ClassVar[DirectoryType]
    endpoints: ClassVar[tuple[str, ...]]
    """Without which it cannot begin."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.difference = PartDifference(str(self.kind))

    @classmethod
    @abstractmethod
    def forecast(cls, config: WeComConfig, ask: Ask | None = None) -> int:
        """About how many calls it takes, by what is known here. While nothing is, by one ``ask`` where it is given."""

    @abstractmethod
    def fetch(self) -> None:
        """Read everything, by ``self.reading`` only; keep what differs. Raises what ``Reading`` raises."""

    @abstractmethod
    def compare(self) -> PartDifference:
        """What the reading amounts to. All parts have been fetched; nothing is written."""

    @abstractmethod
    def apply(self, now: datetime) -> None:
        """Write what differs, in the run's transaction. ``now`` marks what was written.

        A row that somebody has written since ``self.reading.since`` is newer than what was read, and is left alone.
        """


def parts_of(sync_type: str) -> Sequence[type[Part]]:
    """What a run of this type consists of, in the order that keeps references whole."""
    from wecom.directory_sync.customers import Customers
    from wecom.directory_sync.departments import Departments
    from wecom.directory_sync.members import Members

    everything: tuple[type[Part], ...] = (Departments, Members, Customers)
    if sync_type == DirectoryType.FULL:
        return everything
    return [part for part in everything if part.kind == sync_type]
