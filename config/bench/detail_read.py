"""A customer's look at a project: JWT, revocation and row, against a service on FastAPI and against a bare answer."""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.bench import seed
from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line
from config.bench.turns import BUSIEST_GENERATOR, CONNECTIONS, Turn, middle, ratio, summary, take_turn
from config.children import free_port
from config.testing.processes import Stack, Web, answers, wait_until
from projects.models import (
    ProjectAccessLog,
    ProjectCache,
    ProjectStatus,
    ProjectSyncConfig,
    ProjectType,
    RemoteSource,
    Role,
    TimeDisplayConfig,
)
from projects.sync.apply import apply_one
from projects.tokens import issue

LINKS = 500
"""Of as many projects."""
BYTES = 1024
"""Of a project as the library gives it."""
ANSWER = '{"project": {"id":"'
BARE_ANSWER = '{"project": "x'
MOST_QUERIES = 2


def run(stage: Stage, plan: Plan) -> Iterator[Line]:
    seed.clear()
    requests = _requests(_links())
    queries = _queries(requests[0])
    turns = _measure(stage, plan, requests)
    for against, limit in (("FastAPI, uvicorn and asyncpg", 1.0), ("a bare HttpResponse", 0.45)):
        yield Line(
            f"detail read: requests/s against {against}",
            f"{middle(turns[against], 'rate'):.0f}/s",
            f"{middle(turns['product'], 'rate'):.0f}/s",
            ratio(turns["product"], turns[against], "rate"),
            "at least",
            limit,
        )
    yield Line("detail read: database queries", "", f"{queries} per request", queries, "at most", MOST_QUERIES, "")
    busiest = max(turn.generator for rows in turns.values() for turn in rows)
    yield Line("detail read: load generator", "1 core", f"{busiest:.0%}", busiest, "at most", BUSIEST_GENERATOR)


def _links() -> list[str]:
    """The addresses of LINKS customers; their projects were confirmed just now."""
    source = RemoteSource.objects.create(slug="bench", name="Bench", base_url="http://127.0.0.1:9")
    # a day during which every copy is current: nobody answers at that address
    ProjectSyncConfig.objects.update_or_create(pk=1, defaults={"cache_ttl": 1440})
    TimeDisplayConfig.load()
    return [_address(apply_one(source, _project(number), now=timezone.now())) for number in range(LINKS)]


def _project(number: int) -> dict[str, object]:
    return {
        "id": f"P-{number:06d}",
        "type": ProjectType.AFTERSALES,
        "title": f"Spindle replacement {number}",
        "status": ProjectStatus.PROCESSING,
        "customer_name": "杭州精密机械",
        "phone": "13812348888",
        "updated_at": "2026-01-05T08:30:00+08:00",
        "stakeholders": [{"role": "engineer", "name": "张伟"}],
        "remark": "x" * (BYTES - 300),
    }


def _address(project: ProjectCache) -> str:
    issued = issue(project, user_id="C-17", user_name="王芳", access_type=Role.CUSTOMER)
    return f"/api/projects/{project.remote_id}?{urlencode({'token': issued.token})}"


def _requests(addresses: Sequence[str]) -> list[bytes]:
    """Each from an address of its own, as a proxy in front of us tells them."""
    head = "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: zh-CN\r\nX-Forwarded-For: 10.0.{}.{}\r\n\r\n"
    return [head.format(address, n // 250, n % 250).encode() for n, address in enumerate(addresses)]


def _queries(request: bytes) -> int:
    path = request.split(b" ", 2)[1].decode()
    with CaptureQueriesContext(connection) as queries:
        response = Client().get(path)
    if response.status_code != 200:
        raise RuntimeError(f"{path[:60]} answered {response.status_code}: {response.content!r}")
    return len(queries)


def _measure(stage: Stage, plan: Plan, requests: Sequence[bytes]) -> dict[str, list[Turn]]:
    turns: dict[str, list[Turn]] = defaultdict(list)
    with ExitStack() as running:
        webs = _start(stage, running)
        for name, web in webs.items():
            _turn(stage, name, web, requests, plan.warm_up_requests)
        order = list(webs)
        for number in range(plan.turns):
            for name in order:
                turns[name].append(_turn(stage, name, webs[name], requests, plan.requests))
            order = order[1:] + order[:1]  # nobody always follows the same neighbour
            say(f"detail read {number + 1}/{plan.turns}: {summary(turns)}")
    return turns


def _start(stage: Stage, running: ExitStack) -> dict[str, Web]:
    product = running.enter_context(stage.stack("detail-product"))
    product.environment |= {"BEHIND_PROXY": "true"}
    bare = running.enter_context(stage.stack("detail-bare", settings="config.bench.variants.bare_settings"))
    service = running.enter_context(stage.stack("detail-service"))
    return {
        "product": product.web(threads=CONNECTIONS),
        "a bare HttpResponse": bare.web(threads=CONNECTIONS),
        "FastAPI, uvicorn and asyncpg": _service(service),
    }


def _service(stack: Stack) -> Web:
    """One process of uvicorn."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "config.bench.variants.reading_service:app", "--no-access-log"]
    process = stack.start("service", [*command, "--host", "127.0.0.1", "--port", str(port)])
    web = Web(process, f"http://127.0.0.1:{port}")
    process.wait_ready(lambda: answers(web.url + "/health"))
    return web


def _turn(stage: Stage, name: str, web: Web, requests: Sequence[bytes], count: int) -> Turn:
    logged = ProjectAccessLog.objects.count()
    expected = BARE_ANSWER if name == "a bare HttpResponse" else ANSWER
    turn = take_turn(web, random.choices(requests, k=count), stage.folder / "requests", expected=expected)
    if name != "a bare HttpResponse":  # a log must not be written during another's turn; and it must be whole
        wait_until(lambda: ProjectAccessLog.objects.count() == logged + count, message="every look logged")
    return turn
