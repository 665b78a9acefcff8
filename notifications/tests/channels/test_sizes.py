"""What a text costs, for who writes it."""

from __future__ import annotations

import pytest
from django.utils import translation

from notifications.channels.sms import SmsChannel


@pytest.mark.parametrize(
    ("length", "signature", "told"),
    [
        (0, "", "0 characters: 1 text message"),
        (70, "", "70 characters: 1 text message"),
        (71, "", "71 characters: 2 text messages"),
        (134, "", "134 characters: 2 text messages"),
        (135, "", "135 characters: 3 text messages"),
        (66, "启明", "70 characters: 1 text message"),
        (67, "启明", "71 characters: 2 text messages"),
    ],
)
def test_an_sms_is_counted_in_parts_with_its_signature(settings, length: int, signature: str, told: str) -> None:
    settings.SMS_SIGN_NAME = signature
    with translation.override("en"):
        assert SmsChannel.size_of("价" * length) == told
