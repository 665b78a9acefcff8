"""Callbacks on their way from the inbox into an approval."""

from __future__ import annotations

import pytest

from approvals import engine
from approvals.models import ApprovalInstance, ApprovalTemplate, InstanceStatus, Outcome
from config.durable import Status
from wecom import inbox
from wecom.models import CallbackEvent, WeComConfig

pytestmark = pytest.mark.django_db

EVENT = (
    "<xml><Event>sys_approval_change</Event><CreateTime>{at}</CreateTime><ApprovalInfo><SpNoStr>{sp_no}</SpNoStr>"
    "<SpStatus>{status}</SpStatus><TemplateId>{template}</TemplateId><Applyer><UserId>li.mei</UserId></Applyer>"
    "<StatuChangeEvent>{change}</StatuChangeEvent></ApprovalInfo></xml>"
)


@pytest.fixture
def event(wecom_app: WeComConfig):
    """An OA event in the inbox."""

    def make(
        sp_no: str = "202601050001", *, status: int = 2, change: int = 2, template: str = "TplQuoteDemo", at: int = 0
    ) -> CallbackEvent:
        payload = EVENT.format(sp_no=sp_no, status=status, change=change, template=template, at=at or 1767600000)
        return CallbackEvent.objects.create(
            key=f"sys_approval_change:{CallbackEvent.objects.count()}",
            config=wecom_app,
            event="sys_approval_change",
            subject=sp_no,
            payload=payload,
            credential="primary",
        )

    return make


def test_an_event_moves_approval_and_quote_in_one_commit_with_its_row(submitted, quote, event):
    instance = submitted(sp_no="202601050001")
    row = event()
    inbox.process_due()
    row.refresh_from_db()
    quote.refresh_from_db()
    assert (row.status, row.outcome) == (Status.SUCCEEDED, Outcome.APPLIED)
    assert quote.approval_status == InstanceStatus.APPROVED
    assert instance.timeline.get(event_id=row.key).channel == "wecom"


def test_an_event_processed_again_changes_nothing(submitted, event):
    instance = submitted(sp_no="202601050001")
    row = event()
    inbox.process_due()
    entries = instance.timeline.count()
    inbox.replay(CallbackEvent.objects.filter(pk=row.pk))
    inbox.process_due()
    row.refresh_from_db()
    assert (row.outcome, instance.timeline.count()) == (Outcome.UNCHANGED, entries)


def test_an_event_that_overtakes_the_answer_is_parked_and_placed_when_the_answer_comes(submitted, quote, event):
    instance = submitted()
    row = event()
    inbox.process_due()
    row.refresh_from_db()
    assert (row.status, row.outcome) == (Status.FAILED, inbox.PARKED)
    assert "202601050001" in row.last_error
    engine.submission_accepted(instance=instance, sp_no="202601050001")
    inbox.process_due()
    quote.refresh_from_db()
    assert quote.approval_status == InstanceStatus.APPROVED


def test_forms_of_templates_that_no_quote_uses_are_nobodys_here(event, template: ApprovalTemplate):
    leave, own = event("1", template="TplLeave"), event("2")
    inbox.process_due()
    leave.refresh_from_db()
    own.refresh_from_db()
    assert (leave.status, leave.outcome) == (Status.SUCCEEDED, inbox.IGNORED)
    assert own.outcome == inbox.PARKED


def test_with_no_template_set_up_yet_everything_waits(event, wecom_app: WeComConfig):
    wecom_app.template_id = ""
    wecom_app.save()
    row = event(template="TplLeave")
    inbox.process_due()
    row.refresh_from_db()
    assert row.outcome == inbox.PARKED


def test_an_engine_event_finds_its_approval_by_our_number(submitted, wecom_app: WeComConfig):
    instance = submitted(flow="wecom_engine")
    payload = (
        f"<xml><Event>open_approval_change</Event><ApprovalInfo><ThirdNo>{instance.third_no}</ThirdNo>"
        "<OpenSpStatus>1</OpenSpStatus></ApprovalInfo></xml>"
    )
    CallbackEvent.objects.create(
        key="open:1", config=wecom_app, event="open_approval_change", subject=instance.third_no, payload=payload
    )
    inbox.process_due()
    instance.refresh_from_db()
    assert instance.status == InstanceStatus.PENDING


def test_an_event_costs_a_fixed_number_of_statements(submitted, event, django_assert_max_num_queries):
    submitted(sp_no="202601050001")
    event()
    with django_assert_max_num_queries(30):
        inbox.process_due()


def test_an_engine_approval_is_not_submitted_by_a_worker(submitted):
    instance: ApprovalInstance = submitted(flow="wecom_engine")
    assert [row.kind for row in instance.operations.all()] == ["tell"]  # its applicant starts it in WeCom
    assert instance.status == InstanceStatus.SUBMITTING
