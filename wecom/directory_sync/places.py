"""Who sits where: the places of members in departments, and departments that members speak of before we know them."""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from wecom.directory_sync.apply import CHUNK, execute, lay, quoted, unlay
from wecom.models import Department, Member, MemberDepartment

if TYPE_CHECKING:
    from wecom.directory_sync.fetch import Reading

LAID = "wecom_laid_places"
# LOWER(), as in the index of members: SQLite uses it only for a key of the same kind
_SHAPE = (
    "SELECT LOWER('') AS laid_key, CAST(0 AS bigint) AS department, "
    "CAST(0 AS bigint) AS place_order, CAST(0 AS smallint) AS leader"
)


def ensure_departments(reading: Reading, mentioned: Set[int], *, now: datetime) -> None:
    """A row for every department that a place refers to. Names follow with the next run over departments, which the
    empty hash makes look at them."""
    listed = reading.departments or {}
    rows = Department.objects.filter(config=reading.config)
    known = dict(rows.values_list("remote_id", "deleted_at"))
    missing = sorted((mentioned | listed.keys()) - known.keys())
    Department.objects.bulk_create(
        (
            Department(config=reading.config, remote_id=key, parent_remote_id=listed.get(key, 0), synced_at=now)
            for key in missing
        ),
        batch_size=CHUNK,
        ignore_conflicts=True,
    )
    back = [key for key in listed if known.get(key) is not None]
    older = rows.filter(Q(synced_at=None) | Q(synced_at__lt=reading.since))
    for start in range(0, len(back), CHUNK):
        again = older.filter(remote_id__in=back[start : start + CHUNK])
        again.update(deleted_at=None, content_hash="", synced_at=now)


def replace(laid_members: str, told: Iterable[list[Any]], *, config_id: int, now: datetime) -> None:
    """Give members (by folded userid) the places that WeCom tells, those only that this run has written (``now``).

    ``laid_members``: the table they were laid in. ``told``: folded userid, department, order, leader (0 or 1).
    """
    lay(LAID, _SHAPE, told)
    table, member = quoted(MemberDepartment._meta.db_table), quoted(Member._meta.db_table)
    written = 'm.config_id = %s AND m.synced_at = %s AND LOWER(m."userid") = s.laid_key'
    execute(
        f"DELETE FROM {table} WHERE member_id IN (SELECT m.id FROM {laid_members} s JOIN {member} m ON {written} "  # noqa: S608
        "WHERE s.is_new = 0)",
        [config_id, now],
    )
    execute(
        f"INSERT INTO {table} (member_id, department_id, {quoted('order')}, is_leader) "  # noqa: S608
        f"SELECT m.id, d.id, s.place_order, s.leader = 1 FROM {LAID} s JOIN {member} m ON {written} "
        f"JOIN {quoted(Department._meta.db_table)} d ON d.config_id = m.config_id AND d.remote_id = s.department "
        "WHERE m.config_id = %s ON CONFLICT DO NOTHING",
        [config_id, now, config_id],
    )
    unlay(LAID)
