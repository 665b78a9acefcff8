"""The variants of the sync bench, by turns in one process on one database; what each turn took, as JSON.

``python -m config.bench.variants.mirror LIBRARY TURNS LOOKED_AT``: the library's address, how many turns each variant
gets, and how many projects the naive variant looks at (it would need minutes for all).
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import django
import requests

SIZE = 500
"""Projects of a page."""
SLUG = "bench"


def main() -> None:
    django.setup()
    from django.core.management import call_command

    from config.celery import leave_the_program_alone

    call_command("migrate", verbosity=0)
    leave_the_program_alone()  # as a worker's process does, in which runs are at home
    library, turns, looked_at = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(measure(library, turns, looked_at)))


def measure(library: str, turns: int, looked_at: int) -> dict[str, list[float]]:
    """Seconds of each turn; of the naive variant per project. ``queries``: of a run; ``changed``: what it wrote."""
    from django.db import connection

    from projects.models import ProjectCache

    forget()
    source = source_of(library)
    took: dict[str, list[float]] = defaultdict(list)
    for _turn in range(turns):
        forget()
        took["first load"].append(timed(lambda: synchronise(source)))
        rows = stored_rows()
        empty()
        took["raw upsert"].append(timed(partial(raw_upsert, rows)))
    forget()
    synchronise(source)
    for turn in range(turns + 1):
        requests.post(f"{library}/change/{turn % 100}", timeout=60)
        naive = timed(lambda: naively(library, source, looked_at))
        synchronise(source)  # all of it, and with the hashes
        requests.post(f"{library}/change/{turn % 100}", timeout=60)
        floor, differing = timed_result(lambda: look_only(library, source))
        with Counted(connection) as counted:
            product, run = timed_result(lambda: synchronise(source))
        if turn == 0:
            continue  # the first turn warms everybody up
        took["floor"].append(floor)
        took["product"].append(product)
        took["naive"].append(naive / looked_at)
        took["queries"].append(counted.queries)
        took["changed"].append(run.updated_count)
        took["differing"].append(differing)
    took["copies"].append(ProjectCache.objects.count())
    return took


def timed(work: Callable[[], object]) -> float:
    return timed_result(work)[0]


def timed_result(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


class Counted:
    """Counts the queries of a block."""

    def __init__(self, connection: Any) -> None:
        self._wrapper = connection.execute_wrapper(self)
        self.queries = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.queries += 1
        return execute(*arguments)

    def __enter__(self) -> Counted:
        self._wrapper.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._wrapper.__exit__(*error)


def source_of(library: str) -> Any:
    from projects.models import RemoteSource

    wanted = {"name": "Bench", "base_url": library, "page_size": SIZE}
    return RemoteSource.objects.update_or_create(slug=SLUG, defaults=wanted)[0]


def forget() -> None:
    """No copies, runs or changes, but the source."""
    from projects.models import ProjectStatusChange, ProjectSyncHistory

    ProjectStatusChange.objects.all().delete()
    ProjectSyncHistory.objects.all().delete()
    empty()


def empty() -> None:
    from django.db import connection

    from projects.models import ProjectCache

    with connection.cursor() as cursor:
        table = ProjectCache._meta.db_table
        cursor.execute(f"TRUNCATE {table} CASCADE" if connection.vendor == "postgresql" else f"DELETE FROM {table}")  # noqa: S608


def synchronise(source: Any) -> Any:
    """The product."""
    from projects.models import RunStatus, SyncType
    from projects.sync import runs

    run = runs.run(runs.open_run(source, sync_type=SyncType.MANUAL))
    if run.status != RunStatus.SUCCESS:
        raise RuntimeError(run.message)
    return run


def pages(library: str) -> Any:
    """The pages of the library as lists, over one kept connection."""
    from projects import json_text

    with requests.Session() as session:
        number, total = 1, 1
        while (number - 1) * SIZE < total:
            query: dict[str, str | int] = {"types": "presale,aftersales,sales", "page": number, "page_size": SIZE}
            answer = json_text.read(session.get(f"{library}/projects", params=query, timeout=60).content)
            yield answer["projects"]
            number, total = number + 1, answer["total"]


def look_only(library: str, source: Any) -> int:
    """The floor: fetch, parse, hash, compare with the stored hashes. Returns how many differ."""
    from django.db import connection

    from projects.models import ProjectCache
    from projects.parsing import Reader

    table, hash_of, differing = ProjectCache._meta.db_table, Reader(source).hash_of, 0
    with connection.cursor() as cursor:
        for items in pages(library):
            ids = [item["id"] for item in items]
            if connection.vendor == "postgresql":
                cursor.execute(f"SELECT remote_id, content_hash FROM {table} WHERE remote_id = ANY(%s)", [ids])  # noqa: S608
            else:
                marks = ",".join(["%s"] * len(ids))
                cursor.execute(f"SELECT remote_id, content_hash FROM {table} WHERE remote_id IN ({marks})", ids)  # noqa: S608
            known = dict(cursor.fetchall())
            differing += sum(known.get(item["id"]) != hash_of(item) for item in items)
    return differing


def naively(library: str, source: Any, looked_at: int) -> int:
    """One get, compare and save for each project; a save only for what differs. Returns how many were saved."""
    from projects.models import ProjectCache
    from projects.parsing import Reader

    reader = Reader(source)
    fields = ("type", "title", "status", "customer_name", "phone", "remote_updated_at", "stakeholders", "extra")
    saved = seen = 0
    for items in pages(library):
        for item in items:
            parsed = reader.parse(item)
            copy = ProjectCache.objects.get(remote_id=parsed.remote_id)
            if any(getattr(copy, field) != getattr(parsed, field) for field in fields):
                for field in fields:
                    setattr(copy, field, getattr(parsed, field))
                copy.save()
                saved += 1
            seen += 1
            if seen == looked_at:
                return saved
    return saved


def stored_rows() -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns())} FROM projects_projectcache ORDER BY id")  # noqa: S608
        return cursor.fetchall()


def columns() -> list[str]:
    from projects.models import ProjectCache

    return [str(field.column) for field in ProjectCache._meta.concrete_fields if field.column != "id"]


def raw_upsert(rows: list[tuple[Any, ...]]) -> None:
    """A page per statement and commit, as the product writes them; nothing is fetched, parsed or compared."""
    from django.db import connection

    names = columns()
    changes = ", ".join(f"{name} = excluded.{name}" for name in names)
    mark = f"({', '.join(['%s'] * len(names))})"
    with connection.cursor() as cursor:
        for start in range(0, len(rows), SIZE):
            page = rows[start : start + SIZE]
            cursor.execute(
                f"INSERT INTO projects_projectcache ({', '.join(names)}) VALUES {', '.join([mark] * len(page))} "  # noqa: S608
                f"ON CONFLICT (remote_id) DO UPDATE SET {changes}",
                [value for row in page for value in row],
            )


if __name__ == "__main__":
    main()
