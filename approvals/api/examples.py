"""Examples for the API's pages."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample

NEW_QUOTE = OpenApiExample(
    "A quote with two items",
    request_only=True,
    value={
        "title": "Pumps for hall 3",
        "customer_name": "华东机电",
        "contact": "王工",
        "phone": "13800138000",
        "currency": "CNY",
        "valid_until": "2026-12-31",
        "remark": "Delivery within six weeks.",
        "items": [
            {"name": "Pump X1", "specification": "DN50", "quantity": "3", "unit_price": "1200.50"},
            {"name": "Seal", "quantity": "2.5", "unit_price": "9.99"},
        ],
    },
)
NEW_REMARK = OpenApiExample("Another remark", request_only=True, value={"remark": "Delivery within four weeks."})
SUBMIT = OpenApiExample(
    "Named approvers",
    request_only=True,
    value={"flow": "wecom_oa", "approvers": ["wang.boss"], "comment": "Please decide before Friday."},
)
_SUBMITTED = {
    "id": 7,
    "quote_number": "CIS-20260105-0001",
    "third_no": "CIS-20260105-0001",
    "sp_no": "",
    "flow": "wecom_oa",
    "status": "submitting",
    "remote_status": "",
    "remote_pending": False,
    "conflict": False,
    "applicant": "li",
    "submitted_at": "2026-01-05T16:00:00+08:00",
    "decided_at": None,
    "last_synced_at": None,
    "error": None,
    "steps": [{"userid": "wang.boss", "name": "Wang", "status": "pending", "comment": "", "time": None}],
}
SUBMITTED = OpenApiExample("On its way to WeCom", response_only=True, status_codes=["202"], value=_SUBMITTED)
APPROVED = OpenApiExample(
    "Approved in WeCom",
    response_only=True,
    status_codes=["200"],
    value={
        **_SUBMITTED,
        "sp_no": "202601050001",
        "status": "approved",
        "remote_status": "approved",
        "decided_at": "2026-01-05T16:04:11+08:00",
        "last_synced_at": "2026-01-05T16:04:12+08:00",
        "steps": [
            {
                "userid": "wang.boss",
                "name": "Wang",
                "status": "approved",
                "comment": "Good price.",
                "time": "2026-01-05T16:04:11+08:00",
            }
        ],
    },
)
NOT_SUBMITTED = OpenApiExample(
    "Never submitted",
    response_only=True,
    status_codes=["200"],
    value={
        **_SUBMITTED,
        "id": None,
        "third_no": "",
        "flow": None,
        "status": "not_submitted",
        "applicant": None,
        "submitted_at": None,
        "steps": [],
    },
)
COMMENT = OpenApiExample("With a comment", request_only=True, value={"comment": "Good price."})
REASON = OpenApiExample("With the reason", request_only=True, value={"reason": "The discount is too large."})
DELEGATE = OpenApiExample(
    "To a colleague", request_only=True, value={"delegate_to": "zhao.vp", "comment": "I am travelling this week."}
)
SYNC_SOME = OpenApiExample("Two approvals", request_only=True, value={"ids": [7, 9]})
APPROVE_MANY = OpenApiExample(
    "Agree to three", request_only=True, value={"action": "approve", "ids": [7, 9, 12], "comment": "As discussed."}
)
_BATCH = {
    "id": 3,
    "action": "approve",
    "comment": "As discussed.",
    "total": 3,
    "status": "running",
    "done": 0,
    "unchanged": 0,
    "refused": 0,
    "failed": 0,
    "open": 3,
    "created_at": "2026-01-05T16:10:00+08:00",
    "finished_at": None,
}
BATCH = OpenApiExample("Queued", response_only=True, status_codes=["202"], value=_BATCH)
BATCH_REPORT = OpenApiExample(
    "Two agreed to, one refused",
    response_only=True,
    status_codes=["200"],
    value={
        **_BATCH,
        "status": "finished",
        "done": 2,
        "refused": 1,
        "open": 0,
        "finished_at": "2026-01-05T16:10:02+08:00",
        "items": {
            "count": 3,
            "next": None,
            "previous": None,
            "results": [
                {"approval": 7, "outcome": "done", "message": ""},
                {"approval": 9, "outcome": "done", "message": ""},
                {"approval": 12, "outcome": "refused", "message": "It is not your turn in this approval."},
            ],
        },
    },
)
SIMULATE = OpenApiExample(
    "Agree on the stand-in", request_only=True, value={"quote_number": "CIS-20260105-0001", "action": "approved"}
)
