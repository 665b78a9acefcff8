"""When not to believe WeCom: a run that would mark very many as gone asks a person first."""

from __future__ import annotations

from django.utils.translation import gettext as _

from wecom.directory_sync.diff import Difference, PartDifference
from wecom.models import DirectoryType

ALWAYS_ALLOWED = 10
"""A percentage of a handful says nothing."""
MOST_PERCENT = 20


class BrakeHeld(Exception):
    """The run would mark more rows of one type as gone than it may without a person's word."""

    def __init__(self, part: PartDifference) -> None:
        super().__init__(f"{part.kind}: {part.deleted} of {part.current}")
        self.part = part

    @property
    def sentence(self) -> str:
        return _(
            "WeCom no longer lists %(gone)d of %(current)d (%(type)s); nothing was changed. If that is right, start a "
            "forced synchronisation."
        ) % {
            "gone": self.part.deleted,
            "current": self.part.current,
            "type": DirectoryType(self.part.kind).label,
        }


def holds(part: PartDifference) -> bool:
    """Whether marking so many as gone needs a person's word."""
    return part.deleted > ALWAYS_ALLOWED and part.deleted * 100 > part.current * MOST_PERCENT


def check(difference: Difference) -> None:
    """Raises BrakeHeld."""
    for part in difference.parts:
        if holds(part):
            raise BrakeHeld(part)
