"""Why the engine said no: one exception per reason, each with its HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Sentence = str | Promise


NOT_ALLOWED = _("You are not allowed to do this.")


class EngineError(Exception):
    """Base. ``code`` is stable for clients, ``detail`` is the sentence for a person."""

    status_code = 400
    code = "error"

    def __init__(self, detail: Sentence, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code

    def __str__(self) -> str:
        return str(self.detail)


class WrongState(EngineError):
    """Not possible in this state. ``current``: the state that stands in the way, for the 409's body."""

    status_code = 409
    code = "wrong_state"

    def __init__(self, detail: Sentence, *, current: Mapping[str, Any], code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.current = dict(current)


class NotAllowed(EngineError):
    """The state would allow it, but not to this person."""

    status_code = 403
    code = "not_allowed"

    def __init__(self, detail: Sentence = NOT_ALLOWED, *, code: str | None = None) -> None:
        super().__init__(detail, code=code)


class InvalidInput(EngineError):
    """``errors``: field → sentences, as DRF and Django forms show them."""

    code = "invalid"

    def __init__(self, errors: Mapping[str, list[Sentence]]) -> None:
        super().__init__(next(iter(errors.values()))[0])
        self.errors = dict(errors)


class NoInstance(Exception):
    """A remote approval that belongs to no submission known here (yet)."""
