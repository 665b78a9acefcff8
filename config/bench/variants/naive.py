"""The straightforward way: parse, ``create()``, one ``.delay()`` per callback, one task per event."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache

from celery import shared_task
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from config.bench.events import crypto
from config.durable import Status
from config.health import live
from wecom import inbox, xml
from wecom.models import CallbackEvent, WeComConfig

_crypto = crypto()


@shared_task(name="bench.naive")
def process_event(pk: int) -> None:
    """The engine's work for one event, exactly as the product does it."""
    row = CallbackEvent.objects.get(pk=pk)
    with transaction.atomic():
        inbox.handle(row)
        row.status, row.finished_at = Status.SUCCEEDED, timezone.now()
        row.save()


@cache
def _config_id() -> int:
    return WeComConfig.objects.get().pk


@csrf_exempt
def callback(request: HttpRequest) -> HttpResponse:
    query = request.GET
    encrypted = xml.parse(request.body)["Encrypt"]
    if not _crypto.check(query["msg_signature"], query["timestamp"], query["nonce"], encrypted):
        return HttpResponse(status=403)
    message = _crypto.decrypt(encrypted)
    doc = xml.parse(message)
    try:
        row = CallbackEvent.objects.create(
            key=hashlib.sha256(message).hexdigest(),
            config_id=_config_id(),
            event=doc["Event"],
            subject=doc["ApprovalInfo"]["SpNoStr"],
            from_user=doc["FromUserName"],
            event_time=datetime.fromtimestamp(int(doc["CreateTime"]), UTC),
            payload=message.decode(),
            credential="primary",
        )
    except IntegrityError:
        return HttpResponse("success")
    process_event.delay(row.pk)
    return HttpResponse("success")


urlpatterns = [path("wecom/callback", callback), path("health", live)]
