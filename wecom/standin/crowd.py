"""A company of any size, made up as it is asked for: nothing of it is stored, so that 100,000 members cost nothing.

Its departments begin at 10001 and form a tree of ten children each below department 1; every tenth member sits in two.
"""

from __future__ import annotations

from collections.abc import Iterator

from wecom.standin.company import Department, Member

FIRST_DEPARTMENT = 10_001
MEMBERS_EACH = 50
CHILDREN_EACH = 10


class Crowd:
    """``size`` members in as many departments as makes 50 in each; none at all for 0."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.department_count = -(-size // MEMBERS_EACH)

    def departments(self) -> Iterator[Department]:
        """Parents before their children."""
        return map(self._department, range(self.department_count))

    def find_department(self, number: int) -> Department | None:
        index = number - FIRST_DEPARTMENT
        return self._department(index) if 0 <= index < self.department_count else None

    def find_member(self, userid: str) -> Member | None:
        digits = userid.lower().removeprefix("staff")
        number = int(digits) if len(digits) == len(userid) - 5 and digits.isdigit() else self.size
        return self._member(number) if number < self.size and len(digits) == 6 else None

    def members(self) -> Iterator[Member]:
        return map(self._member, range(self.size))

    def members_of(self, department: int) -> Iterator[Member]:
        index, count = department - FIRST_DEPARTMENT, self.department_count
        if not 0 <= index < count:
            return
        yield from map(self._member, range(index, self.size, count))
        for number in range((index - 1) % count, self.size, count):
            if self._second_seat(number) == index:
                yield self._member(number)

    def _department(self, index: int) -> Department:
        parent = FIRST_DEPARTMENT + index // CHILDREN_EACH - 1 if index >= CHILDREN_EACH else 1
        return Department(
            FIRST_DEPARTMENT + index,
            f"第{index + 1}事业部",
            f"Division {index + 1}",
            parent,
            1_000_000 - index,
            (f"staff{index:06d}",) if index < self.size else (),
        )

    def _member(self, number: int) -> Member:
        first = number % self.department_count
        second = self._second_seat(number)
        seats = (first,) if second in (None, first) else (first, second)
        return Member(
            f"staff{number:06d}",
            f"员工{number}",
            f"Staff {number}",
            "工程师",
            tuple(FIRST_DEPARTMENT + seat for seat in seats if seat is not None),
            f"staff{first:06d}" if number != first else "",
            f"021-{number:08d}",
        )

    def _second_seat(self, number: int) -> int | None:
        return (number + 1) % self.department_count if number % 10 == 0 else None
