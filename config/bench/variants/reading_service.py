"""The same reading of a project as a FastAPI service on asyncpg: the very same check of the JWT, same one look-up, same
answer. It keeps no access log and has no throttle.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from django.conf import settings
from fastapi import FastAPI, HTTPException, Request, Response

from projects import keys

CONNECTIONS = 8
ROW = """
SELECT token.access_type, token.expires_at, token.revoked_at, project.remote_id, project.document,
       project.document_version, project.fetched_at, source.confirmed_at, config.cache_ttl, config.phone_visible_to,
       display.version, display.timezone
FROM projects_projectaccesstoken token
JOIN projects_projectcache project ON project.id = token.project_id
LEFT JOIN projects_remotesource source ON source.id = project.source_id AND project.unconfirmed_since IS NULL
LEFT JOIN projects_projectsyncconfig config ON config.id = 1
LEFT JOIN projects_timedisplayconfig display ON display.id = 1
WHERE token.digest = $1
"""


settings.configure(PROJECT_TOKEN_KEYS=os.environ["PROJECT_TOKEN_KEYS"].split(","))


@asynccontextmanager
async def lifespan(service: FastAPI) -> AsyncIterator[None]:
    url = os.environ["DATABASE_URL"]
    async with asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        service.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/health")
async def health() -> str:
    return "ok"


@app.get("/api/projects/{remote_id}")
async def project(request: Request, remote_id: str, token: str) -> Response:
    claims = keys.claims_of(token)
    row = await request.app.state.pool.fetchrow(ROW, hashlib.sha256(token.encode()).hexdigest())
    now = datetime.now(UTC)
    if claims is None or row is None or row["expires_at"] <= now or claims["exp"] <= now.timestamp():
        raise HTTPException(401)
    if row["revoked_at"] is not None or row["remote_id"] != remote_id:
        raise HTTPException(403)
    if row["document_version"] != row["version"] or row["access_type"] in json.loads(row["phone_visible_to"]):
        raise HTTPException(501, "not needed here")
    return Response(_answer(row, now), media_type="application/json", headers={"Cache-Control": "no-store"})


def _answer(row: Any, now: datetime) -> str:
    confirmed_at = max(row["fetched_at"], row["confirmed_at"] or row["fetched_at"])
    stale = now - confirmed_at > timedelta(minutes=row["cache_ttl"])
    minutes = int((now - confirmed_at).total_seconds()) // 60
    age = json.dumps(f"{minutes}分钟前" if minutes else "刚刚", ensure_ascii=False)
    last_sync = f"{confirmed_at.astimezone(ZoneInfo(row['timezone'])):%Y-%m-%d %H:%M:%S}"
    flags = f'"from_cache": true, "stale": {str(stale).lower()}'
    return f'{{"project": {row["document"]}, {flags}, "cache_time": {age}, "last_sync": "{last_sync}"}}'
