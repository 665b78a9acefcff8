"""What WeCom might say, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from wecom.snapshots import RemoteApproval, RemoteStep

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
CODES = {"pending": 1, "approved": 2, "rejected": 3, "cancelled": 4, "revoked": 6, "deleted": 7, "paid": 10}


def after(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def step(
    userid: str, status: str = "pending", *, node: int = 0, at: datetime | None = None, **extra: Any
) -> RemoteStep:
    codes = {"": 0, "pending": 1, "approved": 2, "rejected": 3, "transferred": 4}
    values = {"comment": "", "relation": "all", "kind": "approver", **extra}
    return RemoteStep(node=node, userid=userid, status=status, code=codes[status], at=at, **values)


def says(
    status: str | None,
    *,
    sp_no: str = "202601050001",
    third_no: str = "",
    at: datetime | None = START,
    steps: Sequence[RemoteStep] = (),
    change_code: int | None = None,
    code: int | None = None,
    **extra: Any,
) -> RemoteApproval:
    """A snapshot with ``status``; ``code`` for a number that nobody knows."""
    values: dict[str, Any] = {
        "kind": "oa",
        "sp_no": sp_no,
        "third_no": third_no,
        "status_code": CODES[status] if status else code,
        "status": status,
        "template_id": "TplQuoteDemo",
        "template_name": "报价审批",
        "applicant": "li.mei",
        "submitted_at": START,
        "steps": tuple(steps),
        "comments": (),
        "change_code": change_code,
        "changed_at": at,
        "form": {},
    }
    return RemoteApproval(**(values | extra))
