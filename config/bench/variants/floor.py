"""The bare view: verify, decrypt, one raw INSERT into the inbox on a kept connection. It does not even read the event.

The table is the product's own, with its indexes: they are what the worker needs, whatever the view is like.
"""

from __future__ import annotations

import hashlib
from functools import cache

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from config.bench.events import crypto
from config.health import live
from wecom import xml
from wecom.models import CallbackEvent, WeComConfig

GIVEN = ("key", "next_attempt_at", "created_at", "updated_at", "config_id", "payload")


def _insert() -> str:
    """The statement: parameters for GIVEN, constants for every other column."""
    constants = {
        str(field.column): "NULL" if field.null else "''" if field.empty_strings_allowed else "0"
        for field in CallbackEvent._meta.concrete_fields
        if field.column not in GIVEN and not field.primary_key
    } | {"status": "'pending'"}
    return (
        f"INSERT INTO {CallbackEvent._meta.db_table} ({', '.join((*GIVEN, *constants))}) "  # noqa: S608 - names of ours
        f"VALUES ({', '.join(['%s'] * len(GIVEN))}, {', '.join(constants.values())}) ON CONFLICT DO NOTHING"
    )


INSERT = _insert()
_crypto = crypto()


def callback(request: HttpRequest) -> HttpResponse:
    query = request.GET
    encrypted = xml.parse(request.body)["Encrypt"]
    if not _crypto.check(query["msg_signature"], query["timestamp"], query["nonce"], encrypted):
        return HttpResponse(status=403)
    message = _crypto.decrypt(encrypted)
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [hashlib.sha256(message).hexdigest(), now, now, now, _config_id(), message.decode()])
    return HttpResponse("success", headers={"Content-Length": "7"})


@cache
def _config_id() -> int:
    return WeComConfig.objects.get().pk


urlpatterns = [path("wecom/callback", callback), path("health", live)]
