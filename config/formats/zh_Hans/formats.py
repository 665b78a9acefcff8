"""Dates in Chinese pages: 2026-11-23 01:15. Django's own (2026年11月23日 01:15) breaks the columns of the lists."""

from __future__ import annotations

DATE_FORMAT = SHORT_DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "Y-m-d H:i"
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日"]
"""The first is how a date stands in its field."""
