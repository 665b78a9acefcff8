"""The callback address: verify, decrypt, store, ``success``. Nothing else happens while WeCom waits."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from wecom import inbox, metrics, refusals, spool
from wecom.callback import CHECK_EVENT, MOST_BODY_BYTES, OpenedCallback, TooLarge, open_callback, verify_echo
from wecom.configs import read_with_credentials
from wecom.crypto import CallbackError, Unparsable, gettext_noop
from wecom.quick_insert import DatabaseAway

logger = structlog.get_logger(__name__)

PLAIN = "text/plain; charset=utf-8"


@csrf_exempt
@transaction.non_atomic_requests
def callback(request: HttpRequest, slug: str = "") -> HttpResponseBase:
    """GET: URL verification, answered with the decrypted bytes. POST: one event, answered ``success`` once it is on
    disk. A refusal answers with its HTTP status and its English sentence. (Docs 90930, 90238.)"""
    if request.method not in ("GET", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    body = b""
    query = request.GET.dict()
    now = timezone.now()
    try:
        if request.method == "GET":
            _, echo = read_with_credentials(slug, lambda known: verify_echo(known, query, now=now))
            return HttpResponse(echo, content_type=PLAIN)
        body = _body(request)
        credentials, opened = read_with_credentials(slug, lambda known: open_callback(known, query, body, now=now))
        _keep(slug, credentials.config_id, query, body, opened)
    except CallbackError as error:
        refusals.note(request, slug, error, body)
        return HttpResponse(error.reason, status=error.http_status, content_type=PLAIN)
    return HttpResponse("success", content_type=PLAIN)


def _body(request: HttpRequest) -> bytes:
    """The body, whose size is looked at before any of it is read. Raises TooLarge, Unparsable."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BODY_BYTES:
        raise TooLarge
    try:
        return request.body
    except UnreadablePostError as error:
        raise Unparsable(gettext_noop("The connection broke off before the body had arrived.")) from error


def _keep(slug: str, config_id: int | None, query: dict[str, str], body: bytes, opened: OpenedCallback) -> None:
    """Inbox, or spool while the database is away. Raises SpoolFull when neither takes it."""
    if opened.event == CHECK_EVENT:
        return
    try:
        if config_id is None:
            raise DatabaseAway("only the settings' credentials are known")
        if inbox.store(opened, config_id=config_id):
            inbox.wake_worker()
    except DatabaseAway as error:
        spool.keep(slug, query, body)
        metrics.received.add("spooled")
        logger.warning("callback_spooled", event_id=opened.event_id, error=str(error))
