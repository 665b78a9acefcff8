"""Sentences in a row, in both languages."""

from __future__ import annotations

import pytest

from config.sentences import in_a_row


@pytest.mark.parametrize(
    ("sentences", "text"),
    [
        (("It is away.", "Look at the log.", ""), "It is away. Look at the log."),
        (("项目库没有应答。", "请查看日志。"), "项目库没有应答。请查看日志。"),
        (("项目库没有应答。", "", "[errcode 1]"), "项目库没有应答。[errcode 1]"),
        (("", "请查看日志。"), "请查看日志。"),
        ((), ""),
    ],
)
def test_in_a_row(sentences: tuple[str, ...], text: str) -> None:
    assert in_a_row(*sentences) == text
