"""Messages about what was done here, and the proof that no decision goes round in circles."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from approvals import engine, operations
from approvals.models import ApprovalInstance, InstanceStatus, OperationKind, Quote, SyncOperation
from approvals.rules import LONGEST_COMMENT
from approvals.tests.snapshots import after, says, step
from config.durable import Status
from wecom.client import for_config
from wecom.member_rate import PER_MINUTE
from wecom.messages import LONGEST_TEXT

from .conftest import Standin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english(settings: Settings) -> None:
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def pending(standin: Standin, submitted) -> ApprovalInstance:
    """An approval that waits for Wang at WeCom."""
    instance = submitted(approvers=["wang.boss"])
    operations.run_due()
    instance.refresh_from_db()
    assert instance.status == InstanceStatus.PENDING
    return instance


def test_a_decision_taken_here_says_who_decided_what_and_what_is_left_to_do(standin, pending, wang, as_actor, settings):
    settings.API_BASE_URL = "https://quotes.example.com"
    engine.approve(instance=pending, actor=as_actor(wang), comment="within budget")
    operations.run_due()
    (text,) = standin.texts("li.mei")
    for part in ("wang", pending.third_no, "华东机电", "CNY 3,626.48", "within budget", "同意", pending.sp_no):
        assert part in text
    assert text.endswith(f"\nhttps://quotes.example.com/m/approvals/{pending.pk}")


def test_a_rejection_and_a_withdrawal_name_other_buttons(standin, pending, wang, li, as_actor):
    engine.reject(instance=pending, actor=as_actor(wang), reason="too dear")
    operations.run_due()
    assert "驳回" in standin.texts("li.mei")[0]


def test_the_withdrawal_tells_approvers_and_names_the_applicants_button(standin, pending, li, as_actor):
    engine.withdraw(instance=pending, actor=as_actor(li))
    operations.run_due()
    assert "撤销" in standin.texts("wang.boss")[0]
    assert "撤销" in standin.texts("li.mei")[0]  # who did it here has to press it there


@pytest.mark.parametrize(("verb", "button"), [("approve", "同意"), ("reject", "驳回"), ("withdraw", "撤销")])
def test_the_longest_texts_leave_room_for_what_is_left_to_do_and_the_link(
    standin, quote, submitted, wang, li, as_actor, settings, verb, button
):
    settings.API_BASE_URL = "https://quotes.example.com"
    settings.LANGUAGE_CODE = "zh-hans"
    Quote.objects.update(title="标" * 200, customer_name="客" * 200)
    User.objects.filter(pk__in=[wang.pk, li.pk]).update(first_name="名" * 150, last_name="姓" * 150)
    quote.refresh_from_db()
    pending = submitted(approvers=["wang.boss"])
    operations.run_due()
    actor = as_actor(User.objects.get(pk=li.pk if verb == "withdraw" else wang.pk))
    said = {"reason" if verb == "reject" else "comment": "言" * LONGEST_COMMENT}
    getattr(engine, verb)(instance=pending, actor=actor, **said)
    operations.run_due()
    pending.refresh_from_db()
    text = standin.texts("li.mei")[0]
    assert len(text.encode()) <= LONGEST_TEXT
    todo, link = text.splitlines()[-2:]
    assert button in todo
    assert pending.sp_no in todo
    assert link == f"https://quotes.example.com/m/approvals/{pending.pk}"
    for part in (pending.third_no, "标…", "客", "言…"):
        assert part in text


def test_a_text_that_fits_is_not_shortened(standin, pending, wang, as_actor):
    engine.approve(instance=pending, actor=as_actor(wang), comment="言" * 300)
    operations.run_due()
    assert "言" * 300 in standin.texts("li.mei")[0]


def test_nothing_is_left_to_do_once_wecom_agrees(standin, pending, wang, as_actor):
    engine.approve(instance=pending, actor=as_actor(wang))
    standin.act(pending.sp_no, "agree")
    engine.apply_remote(operations.get_approval_detail(for_config(pending.config), pending.sp_no), source="reconcile")
    operations.run_due()
    assert "同意" not in standin.texts("li.mei")[0]


def texts_of(instance: ApprovalInstance) -> list[tuple[str, list[str]]]:
    rows = SyncOperation.objects.filter(instance=instance, kind=OperationKind.TELL).order_by("pk")
    return [(row.payload["verb"], row.payload["to"]) for row in rows]


def test_where_this_system_decides_only_the_end_is_told_and_only_to_the_applicant(submitted, wang, zhao, as_actor):
    instance = submitted(flow="internal", approvers=["wang.boss", "zhao.vp"])
    engine.approve(instance=instance, actor=as_actor(wang))
    assert texts_of(instance) == []  # the approvers have cards
    engine.approve(instance=instance, actor=as_actor(zhao, "wecom"))
    assert texts_of(instance) == [("approve", ["li.mei"])]


def test_a_reminder_goes_to_those_whose_turn_it_is(submitted, li, wang, zhao, as_actor):
    instance = submitted(flow="internal", approvers=["wang.boss", "zhao.vp"])
    engine.approve(instance=instance, actor=as_actor(wang))
    engine.remind(instance=instance, actor=as_actor(li, "wecom"))
    assert texts_of(instance) == [("remind", ["zhao.vp"])]


def test_the_applicant_who_withdraws_is_told_nothing(submitted, li, as_actor):
    instance = submitted(flow="internal", approvers=["wang.boss"])
    engine.withdraw(instance=instance, actor=as_actor(li))
    assert texts_of(instance) == []


def test_a_text_about_a_decision_taken_here_leads_to_the_page_for_the_phone(
    standin, submitted, wang, as_actor, settings
):
    settings.API_BASE_URL = "https://quotes.example.com"
    instance = submitted(flow="internal", approvers=["wang.boss"])
    SyncOperation.objects.all().delete()  # the cards have tests of their own
    engine.approve(instance=instance, actor=as_actor(wang))
    operations.run_due()
    lines = standin.texts("li.mei")[0].splitlines()
    assert lines[-1] == f"https://quotes.example.com/m/approvals/{instance.pk}"
    assert "同意" not in "".join(lines)


def test_an_applicant_is_told_where_to_start_an_approval_in_wecoms_engine(standin, submitted, settings):
    settings.API_BASE_URL = "https://quotes.example.com"
    instance = submitted(flow="wecom_engine")
    operations.run_due()
    assert standin.texts("li.mei")[0].endswith(f"https://quotes.example.com/m/approvals/{instance.pk}/start")


def test_a_second_reminder_arrives_although_wecom_drops_equal_messages(standin, pending, li, as_actor):
    engine.remind(instance=pending, actor=as_actor(li))
    operations.run_due()
    ApprovalInstance.objects.update(last_reminded_at=pending.submitted_at - timedelta(hours=1))
    engine.remind(instance=pending, actor=as_actor(li))
    reminders = SyncOperation.objects.filter(kind=OperationKind.TELL)
    reminders.filter(status=Status.PENDING).update(created_at=pending.submitted_at + timedelta(minutes=20))
    operations.run_due()
    assert len(standin.texts("wang.boss")) == 2


def test_a_repetition_after_a_lost_answer_arrives_once(*, standin, pending, li, as_actor, all_due, operation):
    engine.remind(instance=pending, actor=as_actor(li))
    standin.fault("close_after", "message/send")
    operations.run_due()
    assert operation(pending, "tell").status == Status.FAILED
    all_due()
    operations.run_due()
    assert operation(pending, "tell").status == Status.SUCCEEDED
    assert len(standin.texts("wang.boss")) == 1


def test_members_whom_wecom_could_not_reach_are_written_down(standin, pending, wang, as_actor, operation):
    SyncOperation.objects.create(
        key="tell:partly",
        instance=pending,
        kind=OperationKind.TELL,
        payload={"verb": "remind", "to": ["wang.boss", "Nobody.Here"], "actor": "li", "comment": ""},
    )
    operations.run_due()
    row = operation(pending, "tell")
    assert (row.status, row.payload["not_reached"]) == (Status.SUCCEEDED, ["nobody.here"])


def test_a_message_that_can_reach_nobody_is_dead_with_a_sentence(standin, pending, operation):
    payload = {"verb": "remind", "to": ["nobody.here"], "actor": "li", "comment": ""}
    SyncOperation.objects.create(key="tell:nobody", instance=pending, kind=OperationKind.TELL, payload=payload)
    operations.run_due()
    row = operation(pending, "tell")
    assert (row.status, row.error_code) == (Status.DEAD, 81013)
    assert row.last_error


class TestNoLoop:
    """What comes from WeCom never goes back there (design: channel awareness)."""

    HISTORY = (
        says("pending", at=after(10), change_code=1, steps=[step("sun.director")]),
        says("pending", at=after(20), change_code=2, steps=[step("sun.director", "approved", at=after(20))]),
        says("pending", at=after(30), change_code=10),
        says("approved", at=after(40), change_code=2, steps=[step("sun.director", "approved", at=after(20))]),
        says("paid", at=after(50)),
        says("revoked", at=after(60), change_code=8),
        says("deleted", at=after(70)),
    )

    @pytest.mark.parametrize("source", ["callback", "reconcile", "manual"])
    def test_no_word_from_wecom_creates_an_operation(self, submitted, source):
        instance = submitted(sp_no="202601050001")
        before = list(SyncOperation.objects.values_list("pk", flat=True))
        for number, snapshot in enumerate(self.HISTORY):
            engine.apply_remote(snapshot, source=source, event_id=f"{source}-{number}")
        instance.refresh_from_db()
        assert instance.status == InstanceStatus.DELETED
        assert list(SyncOperation.objects.values_list("pk", flat=True)) == before

    @pytest.mark.parametrize("policy", ["first_wins", "wecom_wins"])
    def test_a_conflict_is_settled_without_a_word_to_wecom(self, submitted, wang, as_actor, settings, policy):
        settings.APPROVAL_CONFLICT_POLICY = policy
        instance = submitted(approvers=["wang.boss"], sp_no="202601050001")
        engine.approve(instance=instance, actor=as_actor(wang))
        before = SyncOperation.objects.count()
        engine.apply_remote(says("rejected", at=after(50), change_code=3), source="callback", event_id="e")
        assert SyncOperation.objects.count() == before

    def test_a_decision_told_to_wecom_comes_back_and_rests(self, standin, pending, wang, as_actor):
        """Here → message → the approver agrees there too → back here: nothing more is queued."""
        engine.approve(instance=pending, actor=as_actor(wang))
        operations.run_due()
        standin.act(pending.sp_no, "agree")
        client = for_config(pending.config)
        engine.apply_remote(operations.get_approval_detail(client, pending.sp_no), source="callback", event_id="agreed")
        pending.refresh_from_db()
        assert (pending.status, pending.remote_pending, pending.conflict) == (InstanceStatus.APPROVED, False, False)
        writes = standin.calls("message/send"), standin.calls("oa/applyevent")
        assert operations.run_due() == 0
        assert (standin.calls("message/send"), standin.calls("oa/applyevent")) == writes


def test_a_member_who_has_had_too_many_messages_is_told_later_and_it_is_no_attempt(standin, pending, wang, as_actor):
    client = for_config(pending.config)
    for _number in range(PER_MINUTE):
        client.member_rate.take(["li.mei"])
    engine.approve(instance=pending, actor=as_actor(wang))
    operations.run_due()
    row = SyncOperation.objects.get(kind=OperationKind.TELL)
    assert (row.status, row.attempts) == (Status.PENDING, 0)
    assert timedelta(seconds=50) < row.next_attempt_at - timezone.now() < timedelta(seconds=62)
    assert standin.texts("li.mei") == []
