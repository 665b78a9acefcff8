"""The variants of the directory bench, by turns in one process on one database; what each turn took, as JSON.

``python -m config.bench.variants.directory TURNS``; with ``empty`` the directory is emptied, with ``once`` its members
are read once (to look at the memory). WECOM_API_BASE_URL is a stand-in with a company.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from typing import Any

import django
import requests

TYPES = ("department", "user")
PAGE = 500
TABLES = ("wecom_department", "wecom_member", "wecom_memberdepartment")
"""In the order that keeps references whole."""


def main() -> None:
    django.setup()
    from django.core.management import call_command

    from wecom import rates

    call_command("migrate", verbosity=0)
    # the work is measured, not the waiting for WeCom's limits
    rates.BASIC_CALLS_PER_MINUTE, rates.BASIC_CALLS_PER_HOUR = 10_000_000, 1_000_000_000
    match sys.argv[1]:
        case "empty":
            empty()
        case "once":
            synchronise("user")
        case turns:
            print(json.dumps(measure(int(turns))))


def measure(turns: int) -> dict[str, list[float]]:
    """Seconds of each turn; ``written``: rows that a run without changes has written; ``members``: those stored."""
    from wecom.models import Member

    took: dict[str, list[float]] = defaultdict(list)
    for turn in range(turns):
        empty()
        load, fetch = first_load()
        stored = {table: rows_of(table) for table in TABLES}
        empty()
        raw = timed(lambda rows=stored: raw_insert(rows))
        floor, differing = look_only()
        run, written = 0.0, 0
        for sync_type in TYPES:
            seconds, changed = unchanged(sync_type)
            run, written = run + seconds, written + changed
        if turn == 0 and turns > 1:
            continue  # the first turn warms everybody up
        for name, value in {
            "load": load,
            "fetch": fetch,
            "raw": raw,
            "floor": floor,
            "run": run,
            "written": written,
            "differing": differing,
        }.items():
            took[name].append(value)
    took["members"].append(Member.objects.current().count())
    return took


def timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def synchronise(sync_type: str, tell: Any = None) -> Any:
    from wecom.configs import default_config
    from wecom.directory_sync import runs

    config = default_config()
    if config is None:
        raise RuntimeError("there is no app")
    run = runs.run(runs.open_run(config, sync_type), tell=tell)
    if run.status != "success":
        raise RuntimeError(f"{run.message} {run.error_detail}")
    return run


def first_load() -> tuple[float, float]:
    """Seconds from the last answer of WeCom to the end, and those of the reading before."""
    load = fetch = 0.0
    for sync_type in TYPES:
        started, answered = time.perf_counter(), [0.0]

        def tell(_run: Any, answered: list[float] = answered) -> None:
            answered[0] = time.perf_counter()

        synchronise(sync_type, tell)
        fetch += answered[0] - started
        load += time.perf_counter() - answered[0]
    return load, fetch


def unchanged(sync_type: str) -> tuple[float, int]:
    started = time.perf_counter()
    run = synchronise(sync_type)
    return time.perf_counter() - started, run.created + run.updated + run.deleted


def look_only() -> tuple[float, int]:
    """The floor: fetch, parse, hash, compare with the stored hashes. Seconds, and how many differ."""
    from django.conf import settings

    from wecom.directory_sync import departments, members
    from wecom.directory_sync.diff import digest

    started, differing = time.perf_counter(), 0
    known = dict(selected("SELECT lower(userid), content_hash FROM wecom_member"))
    hashes = dict(selected("SELECT remote_id, content_hash FROM wecom_department"))
    with requests.Session() as session:

        def get(endpoint: str, **query: str) -> Any:
            url = f"{settings.WECOM_API_BASE_URL}/cgi-bin/{endpoint}"
            return json.loads(session.get(url, params=query, timeout=60).content)

        token = get("gettoken", corpid=settings.WECOM_CORP_ID, corpsecret=settings.WECOM_SECRET)["access_token"]
        for one in get("department/list", access_token=token)["department"]:
            differing += hashes.get(one["id"]) != digest([one.get(key) for key in departments.TOLD])
        for number in hashes:
            for one in get("user/list", access_token=token, department_id=str(number))["userlist"]:
                differing += known.get(one["userid"].lower()) != digest([one.get(key) for key in members.TOLD])
    return time.perf_counter() - started, differing


def empty() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for table in reversed(TABLES):
            cursor.execute(f"TRUNCATE {table} CASCADE" if connection.vendor == "postgresql" else f"DELETE FROM {table}")  # noqa: S608


def selected(statement: str) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def rows_of(table: str) -> list[tuple[Any, ...]]:
    return selected(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608


def raw_insert(stored: dict[str, list[tuple[Any, ...]]]) -> None:
    """One COPY for each table, or many rows in each INSERT; nothing is fetched, parsed or compared."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        for table, rows in stored.items():
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} FROM STDIN") as copied:
                    for row in rows:
                        copied.write_row([json.dumps(v) if isinstance(v, dict | list) else v for v in row])
                continue
            mark = f"({', '.join(['%s'] * len(rows[0]))})"
            for start in range(0, len(rows), PAGE):
                page = rows[start : start + PAGE]
                cursor.execute(
                    f"INSERT INTO {table} VALUES {', '.join([mark] * len(page))}",  # noqa: S608
                    [value for row in page for value in row],
                )


if __name__ == "__main__":
    main()
