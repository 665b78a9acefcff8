"""Chinese pages: 2026-11-23 01:15, because Django's own 2026年11月23日 breaks the columns of the lists; and 12,300.00,
as on any quotation, where Django writes no separator."""

from __future__ import annotations

DATE_FORMAT = SHORT_DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "Y-m-d H:i"
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日"]
"""The first is how a date stands in its field."""
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
