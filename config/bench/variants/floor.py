"""The bare view: verify, decrypt, one raw INSERT on a kept connection. Nothing that makes it a product."""

from __future__ import annotations

import hashlib

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from config.bench.events import crypto
from config.health import live
from wecom import xml

TABLE = "CREATE TABLE bench_floor (event_id varchar(190) PRIMARY KEY, payload text NOT NULL, at {time} NOT NULL)"
INSERT = "INSERT INTO bench_floor VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"

_crypto = crypto()


def callback(request: HttpRequest) -> HttpResponse:
    query = request.GET
    encrypted = xml.parse(request.body)["Encrypt"]
    if not _crypto.check(query["msg_signature"], query["timestamp"], query["nonce"], encrypted):
        return HttpResponse(status=403)
    message = _crypto.decrypt(encrypted)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [hashlib.sha256(message).hexdigest(), message.decode(), timezone.now()])
    return HttpResponse("success", headers={"Content-Length": "7"})


def create_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(TABLE.format(time="timestamptz" if connection.vendor == "postgresql" else "datetime"))


urlpatterns = [path("wecom/callback", callback), path("health", live)]
