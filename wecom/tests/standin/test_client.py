"""The product's own client against the stand-in: the two sides were written apart from the same documents."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wecom.callback_ips import get_callback_ips
from wecom.client import WeComClient
from wecom.errors import OutcomeUnknown, PermanentError, QuotaError, RetryableError, WeComError
from wecom.messages import send_text
from wecom.models import WeComConfig
from wecom.oa import apply_event, get_approval_detail, get_template_detail, list_approval_numbers
from wecom.open_approval import get_open_approval
from wecom.tests.standin.conftest import AGENT_ID, CORP_ID, SECRET, TEMPLATE, Standin, submission


@pytest.fixture
def caller(standin: Standin, settings: Any) -> WeComClient:
    settings.WECOM_API_BASE_URL = standin.url
    slug = f"app-{uuid.uuid4().hex[:8]}"
    return WeComClient(WeComConfig(slug=slug, corp_id=CORP_ID, agent_id=AGENT_ID, secret=SECRET))


def listed(caller: WeComClient) -> list[str]:
    now = datetime.now(UTC)
    filters = {"sp_status": "1", "creator": "li.mei"}
    days = timedelta(days=40)
    return list(list_approval_numbers(caller, start=now - days, end=now + timedelta(minutes=1), filters=filters))


def test_an_approval_is_submitted_found_in_the_list_and_read(standin: Standin, caller: WeComClient) -> None:
    template = get_template_detail(caller, TEMPLATE)
    table = next(control for control in template.controls if control.type == "Table")
    assert [child.title for child in table.children] == ["名称", "规格", "数量", "单价", "金额"]

    sp_no = apply_event(caller, submission())
    assert listed(caller) == [sp_no]
    detail = get_approval_detail(caller, sp_no)
    assert (detail.sp_no, detail.status, detail.applicant) == (sp_no, "pending", "li.mei")
    assert detail.form["Text-01"] == "CIS-20260101-0001"


@pytest.mark.parametrize("state", ["invalid", "expired"])
def test_a_token_that_ends_early_costs_nothing_but_one_more_gettoken(
    standin: Standin, caller: WeComClient, state: str
) -> None:
    apply_event(caller, submission())
    standin.post("tokens/end", state=state)
    apply_event(caller, submission())
    assert len(listed(caller)) == 2


def test_a_message_tells_who_was_not_reached(caller: WeComClient) -> None:
    assert send_text(caller, to=["li.mei", "Nobody.Here"], text="报价已批准").invalid_users == ["nobody.here"]
    with pytest.raises(PermanentError) as caught:
        send_text(caller, to=["nobody.here"], text="报价已批准")
    assert caught.value.errcode == 81013


@pytest.mark.parametrize(("fault", "accepted"), [("close_before", 0), ("close_after", 1)])
def test_a_lost_answer_says_nothing_about_whether_the_form_exists(
    standin: Standin, caller: WeComClient, fault: str, accepted: int
) -> None:
    standin.fault(fault, endpoint="oa/applyevent")
    with pytest.raises(OutcomeUnknown):
        apply_event(caller, submission())
    assert len(listed(caller)) == accepted


def test_the_rest_of_the_calls(caller: WeComClient) -> None:
    assert get_callback_ips(caller)
    with pytest.raises(PermanentError) as caught:
        get_open_approval(caller, "CIS-20990101-0001")
    assert caught.value.errcode == 301025


@pytest.mark.parametrize(("errcode", "expected"), [(-1, RetryableError), (45009, QuotaError), (301055, PermanentError)])
def test_wecoms_refusals_arrive_with_their_family_and_hint(
    standin: Standin, caller: WeComClient, errcode: int, expected: type[WeComError]
) -> None:
    standin.fault("errcode", endpoint="oa/applyevent", errcode=errcode)
    with pytest.raises(expected) as caught:
        apply_event(caller, submission())
    assert caught.value.hint
