"""Numbers as people write them."""

from __future__ import annotations

import pytest

from config.phones import masked
from notifications.phones import BadNumber, international


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "+8613800138000",
        "8613800138000",
        "008613800138000",
        "138 0013 8000",
        "138-0013-8000",
        "+86 (138) 0013-8000",
        " １３８００１３８０００ ",
        "+86–138–0013–8000",
    ],
)
def test_a_chinese_mobile_number_however_it_is_written(written: str) -> None:
    assert international(written) == "+8613800138000"


def test_a_number_abroad_keeps_its_country() -> None:
    assert international("+44 7700 900123") == "+447700900123"
    assert international("00852 9123 4567") == "+85291234567"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "abc",
        "0571-88888888",
        "1380013800",
        "138001380000",
        "12345678901",
        "+8610012345678",
        "13800138000/13900139000",
    ],
)
def test_what_no_text_message_can_reach_is_refused(written: str) -> None:
    with pytest.raises(BadNumber):
        international(written)


def test_a_masked_number_shows_its_ends_only() -> None:
    assert masked("+8613800138000") == "138****8000"
    assert masked("110") == "****"
