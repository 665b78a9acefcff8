"""The approval flow engine (审批流程引擎): read the state of a form that was started from the H5 page (doc 90269)."""

from __future__ import annotations

from wecom.budgets import Lane
from wecom.client import WeComClient
from wecom.errors import IT_REPEATS, RetryableError
from wecom.snapshots import BadSnapshot, RemoteApproval, from_engine_data


def get_open_approval(client: WeComClient, third_no: str, *, lane: Lane = "bulk") -> RemoteApproval | None:
    """The form with our number ``third_no``, or None when the answer holds none.

    What WeCom says about a number that nobody has sent off is not documented; an errcode (301025 was seen) is raised
    like any other, since only the caller knows whether the form must exist.
    """
    answer = client.post("corp/getopenapprovaldata", {"thirdNo": third_no}, lane=lane)
    data = answer.get("data")
    try:
        return from_engine_data(data) if data else None
    except BadSnapshot as error:
        raise RetryableError(str(error), remedy=IT_REPEATS, endpoint="corp/getopenapprovaldata") from error
