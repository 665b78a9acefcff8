"""The same reading of a project as a FastAPI service on asyncpg: the very same check of the JWT, same one look-up, same
answer, a budget for each client, and an access log that is written in batches beside the requests.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from django.conf import settings
from fastapi import FastAPI, HTTPException, Request, Response

from projects import keys

CONNECTIONS = 8
WRITE_EVERY = 2.0
PER_MINUTE = 600
MOST_CLIENTS = 10_000
ROW = """
SELECT token.id, token.user_name, token.access_type, token.expires_at, token.revoked_at, project.remote_id,
       project.document, project.document_version, project.fetched_at, source.confirmed_at, config.cache_ttl,
       config.phone_visible_to, display.version, display.timezone
FROM projects_projectaccesstoken token
JOIN projects_projectcache project ON project.id = token.project_id
LEFT JOIN projects_remotesource source ON source.id = project.source_id AND project.unconfirmed_since IS NULL
LEFT JOIN projects_projectsyncconfig config ON config.id = 1
LEFT JOIN projects_timedisplayconfig display ON display.id = 1
WHERE token.digest = $1
"""


NOTE = """
INSERT INTO projects_projectaccesslog (at, remote_id, door, address, agent, token_id, person, access_type, outcome)
SELECT (look ->> 0)::timestamptz, look ->> 1, 'api', (look ->> 2)::inet, look ->> 3, (look ->> 4)::bigint, look ->> 5,
       look ->> 6, 'allowed'
FROM json_array_elements($1::json) AS look
"""
COUNT = """
UPDATE projects_projectaccesstoken AS token SET use_count = use_count + seen.times, last_used_at = now()
FROM (
    SELECT (look ->> 4)::bigint AS id, count(*) AS times FROM json_array_elements($1::json) AS look GROUP BY 1
) AS seen
WHERE token.id = seen.id
"""

settings.configure(PROJECT_TOKEN_KEYS=os.environ["PROJECT_TOKEN_KEYS"].split(","))


@asynccontextmanager
async def lifespan(service: FastAPI) -> AsyncIterator[None]:
    url = os.environ["DATABASE_URL"]
    async with asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        service.state.pool, service.state.looks, service.state.budgets = pool, [], OrderedDict()
        writer = asyncio.create_task(_write_looks(service))
        yield
        writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer


app = FastAPI(lifespan=lifespan)


async def _write_looks(service: FastAPI) -> None:
    while True:
        await asyncio.sleep(WRITE_EVERY)
        looks, service.state.looks = service.state.looks, []
        if looks:
            text = json.dumps(looks, ensure_ascii=False)
            async with service.state.pool.acquire() as connection, connection.transaction():
                await connection.execute(NOTE, text)
                await connection.execute(COUNT, text)


def _within_budget(budgets: OrderedDict[str, tuple[float, float]], client: str) -> bool:
    """A bucket for each client: what is left in it, and when that was reckoned."""
    now = time.monotonic()
    left, then = budgets.pop(client, (float(PER_MINUTE), now))
    left = min(PER_MINUTE, left + (now - then) * PER_MINUTE / 60)
    budgets[client] = (max(left - 1, 0.0), now)
    if len(budgets) > MOST_CLIENTS:
        budgets.popitem(last=False)
    return left >= 1


@app.get("/health")
async def health() -> str:
    return "ok"


@app.get("/api/projects/{remote_id}")
async def project(request: Request, remote_id: str, token: str) -> Response:
    client = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    if not _within_budget(request.app.state.budgets, client):
        raise HTTPException(429)
    claims = keys.claims_of(token)
    row = await request.app.state.pool.fetchrow(ROW, hashlib.sha256(token.encode()).hexdigest())
    now = datetime.now(UTC)
    if claims is None or row is None or row["expires_at"] <= now or claims["exp"] <= now.timestamp():
        raise HTTPException(401)
    if row["revoked_at"] is not None or row["remote_id"] != remote_id:
        raise HTTPException(403)
    if row["document_version"] != row["version"] or row["access_type"] in json.loads(row["phone_visible_to"]):
        raise HTTPException(501, "not needed here")
    agent = request.headers.get("user-agent", "")
    look = (now.isoformat(), remote_id, client, agent, row["id"], row["user_name"], row["access_type"])
    request.app.state.looks.append(look)
    return Response(_answer(row, now), media_type="application/json", headers={"Cache-Control": "no-store"})


def _answer(row: Any, now: datetime) -> str:
    confirmed_at = max(row["fetched_at"], row["confirmed_at"] or row["fetched_at"])
    stale = now - confirmed_at > timedelta(minutes=row["cache_ttl"])
    minutes = int((now - confirmed_at).total_seconds()) // 60
    age = json.dumps(f"{minutes}分钟前" if minutes else "刚刚", ensure_ascii=False)
    last_sync = f"{confirmed_at.astimezone(ZoneInfo(row['timezone'])):%Y-%m-%d %H:%M:%S}"
    flags = f'"from_cache": true, "stale": {str(stale).lower()}'
    return f'{{"project": {row["document"]}, {flags}, "cache_time": {age}, "last_sync": "{last_sync}"}}'
