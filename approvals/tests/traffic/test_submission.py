"""Submitting: once, whatever is lost on the way, and with a sentence when it cannot be done."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from approvals import engine, operations, quotes
from approvals.actors import actor_for
from approvals.models import ApprovalInstance, Channel, InstanceStatus, SyncOperation
from approvals.tests.conftest import CONTENT
from config.durable import Status
from config.testing.processes import wait_until
from wecom.models import Member
from wecom.tests.peers import refused_url

from .conftest import Standin

pytestmark = pytest.mark.django_db


def test_a_submission_reaches_wecom_and_its_number_comes_back(standin: Standin, submitted, quote, operation):
    instance = submitted()
    assert operations.run_due() == 1
    instance.refresh_from_db()
    (there,) = standin.approvals()
    assert (instance.status, instance.sp_no) == (InstanceStatus.PENDING, there["sp_no"])
    assert there["form"]["Text-01"] == instance.third_no
    assert there["applicant"] == "li.mei"
    assert operation(instance).status == Status.SUCCEEDED
    quote.refresh_from_db()
    assert quote.approval_status == InstanceStatus.PENDING


def test_the_approvers_of_the_templates_own_flow_are_known_afterwards(standin: Standin, submitted):
    instance = submitted()
    operations.run_due()
    deciding = instance.steps.exclude(kind="cc").values_list("node", "userid", "relation")
    assert list(deciding) == [(0, "sun.director", "all"), (1, "wang.boss", "any"), (1, "zhao.vp", "any")]


def test_a_form_that_cannot_be_read_after_its_acceptance_does_not_undo_the_submission(standin, submitted, operation):
    standin.fault("errcode", "oa/getapprovaldetail", errcode=-1, count=9)
    instance = submitted()
    operations.run_due()
    instance.refresh_from_db()
    assert (instance.status, operation(instance).status) == (InstanceStatus.PENDING, Status.SUCCEEDED)


def test_the_suggested_mapping_is_kept_at_the_first_submission(standin, submitted, template):
    submitted()
    operations.run_due()
    template.refresh_from_db()
    assert template.mapping["third_no"] == "Text-01"
    assert template.name == "报价审批"


class TestOnce:
    """One form at WeCom for one submission."""

    @pytest.mark.parametrize(
        "fault",
        [{"kind": "close_after"}, {"kind": "errcode", "errcode": 301057, "effect": True}],
    )
    def test_an_answer_that_was_lost_after_the_acceptance(self, standin, submitted, operation, all_due, fault):
        standin.fault(endpoint="oa/applyevent", **fault)
        instance = submitted()
        operations.run_due()
        instance.refresh_from_db()
        assert (instance.status, operation(instance).status) == (InstanceStatus.SUBMITTING, Status.FAILED)
        all_due()
        operations.run_due()
        instance.refresh_from_db()
        (there,) = standin.approvals()
        assert (instance.status, instance.sp_no) == (InstanceStatus.PENDING, there["sp_no"])
        assert instance.steps.count() == 4

    @pytest.mark.parametrize("kind", ["close_before", "http_status"])
    def test_a_call_that_never_arrived_is_made_again(self, standin, submitted, time_to_arrive_is_over, kind):
        standin.fault(kind, "oa/applyevent")
        instance = submitted()
        operations.run_due()
        time_to_arrive_is_over()
        operations.run_due()
        instance.refresh_from_db()
        assert instance.status == InstanceStatus.PENDING
        assert len(standin.approvals()) == 1

    def test_wecom_accepts_the_form_after_we_have_hung_up(
        self, *, standin, submitted, operation, all_due, time_to_arrive_is_over, monkeypatch
    ):
        monkeypatch.setattr("wecom.transport.READ_SECONDS", 0.2)
        standin.fault("slow", "oa/applyevent", seconds=1.5, moment="before")
        instance = submitted()
        operations.run_due()
        monkeypatch.undo()
        all_due()
        operations.run_due()
        row = operation(instance)
        assert (row.status, standin.approvals()) == (Status.FAILED, [])  # looked up, and not sent again
        assert timedelta(seconds=30) < row.next_attempt_at - timezone.now() < operations.MAY_STILL_ARRIVE
        wait_until(standin.approvals, message="WeCom has it after all")
        time_to_arrive_is_over()
        operations.run_due()
        instance.refresh_from_db()
        (there,) = standin.approvals()
        assert (instance.status, instance.sp_no) == (InstanceStatus.PENDING, there["sp_no"])
        assert standin.calls("oa/applyevent") == 1

    @pytest.mark.parametrize(
        ("errcode", "status"), [(-1, "failed"), (45009, "failed"), (40014, "failed"), (301055, "dead")]
    )
    def test_an_answer_that_proves_that_nothing_was_done_leaves_no_doubt(
        self, *, standin, submitted, operation, errcode, status
    ):
        standin.fault("errcode", "oa/applyevent", errcode=errcode, count=2)  # 2: a token is refused twice
        instance = submitted()
        operations.run_due()
        row = operation(instance)
        assert (row.status, row.payload) == (status, {})

    def test_a_refused_connection_waits_for_nothing(
        self, standin, submitted, operation, all_due, monkeypatch, settings
    ):
        """Refused in the very call: everything before it, the token included, has worked."""
        instance = submitted()
        apply_event = operations.apply_event

        def nobody_listens(*args):
            settings.WECOM_API_BASE_URL = refused_url()
            try:
                return apply_event(*args)
            finally:
                settings.WECOM_API_BASE_URL = standin.url

        monkeypatch.setattr(operations, "apply_event", nobody_listens)
        operations.run_due()
        monkeypatch.undo()
        settings.WECOM_API_BASE_URL = standin.url
        assert operation(instance).payload == {}
        all_due()
        operations.run_due()
        instance.refresh_from_db()
        assert instance.status == InstanceStatus.PENDING

    def test_a_later_refusal_does_not_wipe_out_an_earlier_doubt(
        self, standin, submitted, operation, time_to_arrive_is_over
    ):
        standin.fault("close_before", "oa/applyevent")
        instance = submitted()
        operations.run_due()
        time_to_arrive_is_over()
        doubt = operation(instance).payload
        standin.fault("errcode", "oa/applyevent", errcode=-1)
        operations.run_due()
        row = operation(instance)
        assert (row.error_code, row.payload) == (-1, doubt)

    def test_a_worker_that_died_between_answer_and_commit(self, standin, submitted, operation, monkeypatch):
        """The row stays ``running`` with everything that was written before the call; its lease then ends."""
        instance = submitted()

        class Killed(BaseException):
            """What no ``except Exception`` catches, as a SIGKILL is."""

        def die(*_args, **_kwargs):
            raise Killed

        monkeypatch.setattr(operations, "_accepted", die)
        with pytest.raises(Killed):
            operations.run_due()
        monkeypatch.undo()
        assert operation(instance).status == Status.RUNNING
        assert len(standin.approvals()) == 1
        SyncOperation.objects.update(next_attempt_at=timezone.now())
        operations.run_due()
        instance.refresh_from_db()
        assert instance.sp_no == standin.approvals()[0]["sp_no"]
        assert len(standin.approvals()) == 1

    def test_a_person_who_presses_retry_does_not_submit_twice(self, standin, submitted, operation):
        """Retry counts attempts from zero; that the form was sent is remembered apart from them."""
        standin.fault("close_after", "oa/applyevent")
        instance = submitted()
        operations.run_due()
        SyncOperation.objects.filter(pk=operation(instance).pk).retry()
        assert operation(instance).attempts == 0
        operations.run_due()
        assert len(standin.approvals()) == 1

    def test_somebody_elses_form_of_the_same_applicant_is_not_adopted(
        self, standin, submitted, time_to_arrive_is_over, wecom_app
    ):
        standin.post("bulk", third_nos=["CIS-20260105-9999"], creator="li.mei")
        standin.fault("close_before", "oa/applyevent")
        instance = submitted()
        operations.run_due()
        time_to_arrive_is_over()
        operations.run_due()
        instance.refresh_from_db()
        own = [form for form in standin.approvals() if form["form"]["Text-01"] == instance.third_no]
        assert [form["sp_no"] for form in own] == [instance.sp_no]

    def test_a_worker_that_lost_its_row_sends_nothing(self, standin, submitted, operation, monkeypatch):
        instance = submitted()
        build = operations.submission.body_of

        def taken_over_meanwhile(found: ApprovalInstance):
            SyncOperation.objects.filter(instance=found).update(claim=uuid.uuid4())
            return build(found)

        monkeypatch.setattr(operations.submission, "body_of", taken_over_meanwhile)
        operations.run_due()
        assert standin.calls("oa/applyevent") == 0
        assert operation(instance).status == Status.RUNNING

    def test_a_worker_that_lost_its_row_after_sending_leaves_the_result_to_the_next(
        self, standin, submitted, operation, monkeypatch, all_due
    ):
        instance = submitted()
        apply_event = operations.apply_event

        def slow(*args):
            sp_no = apply_event(*args)
            SyncOperation.objects.filter(instance=instance).update(claim=uuid.uuid4())
            return sp_no

        monkeypatch.setattr(operations, "apply_event", slow)
        operations.run_due()
        monkeypatch.undo()
        instance.refresh_from_db()
        assert (instance.status, instance.sp_no) == (InstanceStatus.SUBMITTING, "")
        all_due()
        operations.run_due()
        instance.refresh_from_db()
        assert instance.sp_no == standin.approvals()[0]["sp_no"]
        assert len(standin.approvals()) == 1

    def test_two_workers_at_once(self, transactional_db: None, standin, li):
        actor = actor_for(li, Channel.INTERNAL)
        made = [
            engine.submit(quote=quotes.create_quote(data=CONTENT, actor=actor), actor=actor, flow="wecom_oa")
            for _number in range(6)
        ]
        errors: list[BaseException] = []

        def work() -> None:
            try:
                operations.run_due()
            except BaseException as error:  # noqa: BLE001 - shown by the assertion below
                errors.append(error)
            finally:
                connections.close_all()

        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert not errors
        there = {form["form"]["Text-01"]: form["sp_no"] for form in standin.approvals()}
        assert len(standin.approvals()) == len(made)
        here = ApprovalInstance.objects.values_list("third_no", "sp_no")
        assert dict(here) == there


class TestWithdrawnOnTheWay:
    def test_before_it_was_sent_nothing_is_sent(self, standin, submitted, operation, li, as_actor):
        instance = submitted()
        engine.withdraw(instance=instance, actor=as_actor(li))
        operations.run_due()
        assert standin.calls("oa/applyevent") == 0
        assert operation(instance).status == Status.SUCCEEDED

    def test_after_it_was_sent_somebody_is_told_to_withdraw_it_there(
        self, *, standin, submitted, li, as_actor, all_due, settings
    ):
        settings.LANGUAGE_CODE = "en"
        standin.fault("close_after", "oa/applyevent")
        instance = submitted()
        operations.run_due()
        engine.withdraw(instance=instance, actor=as_actor(li))
        all_due()
        operations.run_due()
        instance.refresh_from_db()
        assert (instance.status, instance.remote_pending) == (InstanceStatus.CANCELLED, True)
        assert instance.sp_no in standin.texts("li.mei")[0]

    def test_sent_but_never_arrived_ends_quietly(
        self, *, standin, submitted, operation, li, as_actor, all_due, time_to_arrive_is_over
    ):
        standin.fault("close_before", "oa/applyevent")
        instance = submitted()
        operations.run_due()
        engine.withdraw(instance=instance, actor=as_actor(li))
        all_due()
        operations.run_due()
        assert operation(instance).status == Status.FAILED  # it may still arrive, and then somebody has to be told
        time_to_arrive_is_over()
        operations.run_due()
        assert standin.approvals() == []
        assert operation(instance).status == Status.SUCCEEDED


class TestRefused:
    def test_wecoms_refusal_is_shown_and_the_quote_may_be_submitted_again(
        self, standin, submitted, operation, quote, li
    ):
        Member.objects.filter(user=li).update(userid="guo.guest")  # not in the app's visible scope
        instance = submitted()
        operations.run_due()
        instance.refresh_from_db()
        row = operation(instance)
        assert (instance.status, instance.error_code) == (InstanceStatus.FAILED, "301055")
        assert instance.error_message
        assert (row.status, row.error_code) == (Status.DEAD, 301055)
        assert row.last_error == instance.error_message
        quote.refresh_from_db()
        again = engine.submit(quote=quote, actor=actor_for(li, Channel.INTERNAL))
        assert again.third_no == f"{quote.quote_number}-2"

    def test_approvers_whom_wecom_does_not_know_are_named(self, standin, submitted, settings):
        settings.LANGUAGE_CODE = "en"
        instance = submitted(approvers=["nobody.here"])
        operations.run_due()
        instance.refresh_from_db()
        assert (instance.status, instance.error_code) == (InstanceStatus.FAILED, "approvers_wrong")
        assert "nobody.here" in instance.error_message

    def test_a_form_refused_without_named_approvers_blames_nobody(self, standin, submitted):
        standin.fault("errcode", "oa/applyevent", errcode=301025)
        instance = submitted()
        operations.run_due()
        instance.refresh_from_db()
        assert instance.error_code == "301025"

    def test_retry_after_the_cause_is_gone_submits_the_same_approval(self, standin, submitted, operation, quote):
        standin.fault("errcode", "oa/applyevent", errcode=301055, count=1)
        instance = submitted()
        operations.run_due()
        assert operation(instance).status == Status.DEAD
        SyncOperation.objects.filter(pk=operation(instance).pk).retry()
        operations.run_due()
        instance.refresh_from_db()
        (there,) = standin.approvals()
        assert (instance.status, instance.sp_no, instance.error_code) == (InstanceStatus.PENDING, there["sp_no"], "")
        quote.refresh_from_db()
        assert quote.approval_status == InstanceStatus.PENDING

    def test_retry_does_nothing_once_the_quote_was_submitted_again(self, standin, submitted, operation):
        standin.fault("errcode", "oa/applyevent", errcode=301055, count=1)
        refused = submitted()
        operations.run_due()
        submitted()
        operations.run_due()
        SyncOperation.objects.filter(pk=operation(refused).pk).retry()
        operations.run_due()
        refused.refresh_from_db()
        assert (refused.status, operation(refused).status) == (InstanceStatus.FAILED, Status.SUCCEEDED)
        assert len(standin.approvals()) == 1

    def test_a_mapping_without_our_number_stops_before_wecom(self, standin, submitted, operation, template):
        template.mapping = {"total": "Money-04"}
        template.save()
        instance = submitted()
        operations.run_due()
        instance.refresh_from_db()
        row = operation(instance)
        assert (instance.status, instance.error_code) == (InstanceStatus.FAILED, "mapping_missing")
        assert (row.status, row.error_code) == (Status.DEAD, None)
        assert standin.calls("oa/applyevent") == 0

    def test_a_template_that_was_changed_in_wecom_is_read_again_and_named(self, standin, submitted, template):
        first = submitted()
        operations.run_due()
        first.refresh_from_db()
        template.refresh_from_db()
        template.controls[1]["id"] = "Text-77"  # as it was when it was last read
        template.mapping["title"] = "Text-77"
        template.save()
        engine.withdraw(instance=first, actor=actor_for(first.applicant, Channel.INTERNAL))
        quote = first.quote
        quote.refresh_from_db()
        second = engine.submit(quote=quote, actor=actor_for(first.applicant, Channel.INTERNAL))
        operations.run_due()
        second.refresh_from_db()
        template.refresh_from_db()
        assert second.error_code == "mapping_wrong"
        assert "Text-77" in second.error_message
        assert template.controls[1]["id"] == "Text-02"

    def test_a_search_that_wecom_refuses_leaves_the_outcome_open(self, standin, submitted, operation, all_due):
        """Nobody knows whether the form arrived, so it is not called a failure that may be submitted again."""
        standin.fault("close_after", "oa/applyevent")
        instance = submitted()
        operations.run_due()
        standin.fault("errcode", "oa/getapprovalinfo", errcode=48002)
        all_due()
        operations.run_due()
        instance.refresh_from_db()
        assert (instance.status, operation(instance).status) == (InstanceStatus.SUBMITTING, Status.DEAD)


class TestLater:
    def test_a_busy_wecom_is_asked_again(self, standin, submitted, operation, all_due):
        standin.fault("errcode", "oa/applyevent", errcode=-1)
        instance = submitted()
        operations.run_due()
        row = operation(instance)
        assert (row.status, row.error_code) == (Status.FAILED, -1)
        all_due()
        operations.run_due()
        instance.refresh_from_db()
        assert instance.status == InstanceStatus.PENDING
        assert operation(instance).error_code is None

    def test_an_app_that_is_switched_off_keeps_its_work(self, standin, submitted, operation, wecom_app, all_due):
        instance = submitted()
        wecom_app.enabled = False
        wecom_app.save()
        operations.run_due()
        assert operation(instance).status == Status.FAILED
        assert standin.calls("oa/applyevent") == 0
        wecom_app.enabled = True
        wecom_app.save()
        all_due()
        operations.run_due()
        instance.refresh_from_db()
        assert instance.status == InstanceStatus.PENDING
