"""What callback credentials must look like (doc 90968), said the same on the form and by the API."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from wecom.crypto import IllegalAesKey, decode_aes_key

TOKEN_LENGTH = 32
"""Longest callback token that WeCom's console takes."""


def check_token(token: str) -> None:
    """Raises ValidationError. An empty one is none."""
    if token and not (token.isascii() and token.isalnum() and len(token) <= TOKEN_LENGTH):
        raise ValidationError(_("Letters and digits only, at most 32."))


def check_aes_key(key: str) -> None:
    """Raises ValidationError. An empty one is none."""
    try:
        if key:
            decode_aes_key(key)
    except IllegalAesKey as error:
        raise ValidationError(
            _("These must be the 43 letters and digits that WeCom shows as EncodingAESKey.")
        ) from error
