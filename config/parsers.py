"""Reading request bodies of the REST API. A module of its own, see ``config.throttling``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class BoundedJSONParser(JSONParser):
    """JSON that can be held, walked and written back: everything else is a 400, where DRF's own parser would take any
    size, die of deep nesting, and let lone surrogates through that no answer and no database can encode."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {})["request"]
        size = int(request.META.get("CONTENT_LENGTH") or 0)
        if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise ParseError(_("The request body is too large."))
        raw = stream.read()
        try:
            data = super().parse(BytesIO(raw), media_type, parser_context)
            if b"\\u" in raw:
                json.dumps(data, ensure_ascii=False).encode()
        except (UnicodeEncodeError, RecursionError) as error:
            raise ParseError(_("The request body cannot be read.")) from error
        return data
