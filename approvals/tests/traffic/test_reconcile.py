"""Compensation: what was lost is found, with few calls, and one failure does not stop the rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from approvals import engine, operations, reconcile_oa
from approvals.comparison import MOST_FAILURES_IN_A_ROW
from approvals.models import ApprovalInstance, ApprovalTemplate, InstanceStatus, Quote, SyncOperation
from approvals.reconcile import CYCLES, INCIDENT, LOCK, reconcile
from approvals.reconcile_ended import AFTER_APPROVAL, EVERY
from approvals.reconcile_oa import Open, plan, turn_of
from config.durable import Status
from notifications.models import Incident
from wecom import inbox
from wecom.models import CallbackEvent
from wecom.redis import redis
from wecom.tests.peers import refused_url

from .conftest import Standin
from .test_listeners import EVENT

pytestmark = pytest.mark.django_db


@pytest.fixture
def opened(standin: Standin, template: ApprovalTemplate, li) -> Callable[..., list[ApprovalInstance]]:
    """``count`` approvals that are pending here and at WeCom, submitted over the last ``days``."""

    def make(count: int, *, days: int = 0) -> list[ApprovalInstance]:
        first = Quote.objects.count()
        third_nos = [f"CIS-20260105-{first + number:04d}" for number in range(count)]
        forms = standin.post("bulk", third_nos=third_nos, spread_days=days)["approvals"]
        known = {form["sp_no"]: form for form in standin.approvals(limit="1000")}
        quotes = Quote.objects.bulk_create(
            Quote(quote_number=number, title=number, customer_name="c", owner=li, approval_status="pending")
            for number in third_nos
        )
        return ApprovalInstance.objects.bulk_create(
            ApprovalInstance(
                quote=quote,
                revision=1,
                third_no=form["third_no"],
                sp_no=form["sp_no"],
                flow="wecom_oa",
                config=template.config,
                corp_id=template.config.corp_id,
                template=template,
                applicant=li,
                applicant_userid="li.mei",
                snapshot={},
                seal="",
                status=InstanceStatus.PENDING,
                remote_status="pending",
                submitted_at=datetime.fromtimestamp(known[form["sp_no"]]["submitted_at"], UTC),
            )
            for quote, form in zip(quotes, forms, strict=True)
        )

    return make


def silently(standin: Standin, instance: ApprovalInstance, action: str) -> None:
    """Somebody acts in WeCom, and the callback is lost."""
    standin.act(instance.sp_no, action, event=False)


class TestCalls:
    def test_k_open_of_which_c_changed_cost_a_page_per_hundred_and_one_call_per_change(self, standin, opened):
        instances = opened(250)
        for instance in instances[:4]:
            silently(standin, instance, "agree")
        report = reconcile()
        assert (report.errors, report.checked, report.applied) == ([], 250, 4)
        assert report.calls == 3 + 4
        assert standin.calls("oa/getapprovalinfo") == 3
        assert standin.calls("oa/getapprovaldetail") == 4
        statuses = ApprovalInstance.objects.values_list("status", flat=True)
        assert sorted(statuses).count("approved") == 4
        assert Quote.objects.filter(approval_status="approved").count() == 4

    def test_one_more_call_for_each_further_window_of_31_days(self, standin, opened):
        opened(120, days=70)
        report = reconcile()
        assert (report.checked, report.applied) == (120, 0)
        assert report.calls <= 2 + 2

    def test_a_second_run_finds_nothing_and_reads_no_form(self, standin, opened):
        silently(standin, opened(3)[0], "reject")
        reconcile()
        report = reconcile()
        assert (report.applied, report.calls) == (0, 1)

    def test_what_is_proved_costs_one_statement_per_chunk(self, standin, opened, django_assert_max_num_queries):
        opened(300)
        with django_assert_max_num_queries(20):
            reconcile()
        assert not ApprovalInstance.objects.filter(last_synced_at=None).exists()

    def test_short_pages_are_not_the_end(self, standin, opened):
        opened(150)
        standin.fault("short_pages", "oa/getapprovalinfo", count=1)
        assert reconcile().checked == 150


class TestFindings:
    @pytest.mark.parametrize(
        ("action", "status"),
        [("agree", "approved"), ("reject", "rejected"), ("withdraw", "cancelled"), ("delete", "deleted")],
    )
    def test_a_lost_callback_is_repaired(self, standin, opened, action, status):
        (instance,) = opened(1)
        silently(standin, instance, action)
        reconcile()
        instance.refresh_from_db()
        assert (instance.status, instance.decided_channel) == (status, "wecom")
        instance.quote.refresh_from_db()
        assert instance.quote.approval_status == status

    def test_what_was_decided_here_is_watched_until_wecom_agrees(self, standin, submitted, wang, as_actor):
        instance = submitted(approvers=["wang.boss"])
        operations.run_due()
        engine.approve(instance=instance, actor=as_actor(wang))
        reconcile()
        instance.refresh_from_db()
        assert instance.remote_pending
        silently(standin, instance, "agree")
        reconcile()
        instance.refresh_from_db()
        assert (instance.status, instance.remote_pending) == ("approved", False)

    def test_a_contradiction_is_counted_as_a_conflict(self, standin, submitted, wang, as_actor):
        instance = submitted(approvers=["wang.boss"])
        operations.run_due()
        instance.refresh_from_db()
        engine.approve(instance=instance, actor=as_actor(wang))
        silently(standin, instance, "reject")
        assert reconcile().conflicts == 1
        instance.refresh_from_db()
        assert (instance.status, instance.conflict) == ("approved", True)


class TestAfterApproval:
    @pytest.fixture
    def approved(self, standin, opened) -> ApprovalInstance:
        (instance,) = opened(1)
        silently(standin, instance, "agree")
        reconcile()
        return instance

    @pytest.fixture
    def its_turn(self) -> Callable[[], object]:
        """The next run looks at what was approved."""
        return lambda: redis().set(CYCLES, 2 * EVERY - 2)

    @pytest.mark.parametrize(
        ("action", "status", "remote"),
        [("revoke", "revoked", "revoked"), ("delete", "deleted", "deleted"), ("pay", "approved", "paid")],
    )
    def test_what_became_of_an_approved_one_is_found_when_it_is_its_turn(
        self, *, standin, approved, its_turn, action, status, remote
    ):
        silently(standin, approved, action)
        assert reconcile().calls == 0
        its_turn()
        report = reconcile()
        assert (report.errors, report.applied, report.calls) == ([], 1, len(AFTER_APPROVAL) + 1)
        approved.refresh_from_db()
        assert (approved.status, approved.remote_status) == (status, remote)

    def test_what_is_known_is_not_read_again(self, standin, approved, opened, its_turn):
        opened(2)
        silently(standin, approved, "pay")
        its_turn()
        reconcile()
        its_turn()
        report = reconcile()
        assert report.calls == 1 + len(AFTER_APPROVAL)  # 1: the open ones
        assert standin.calls("oa/getapprovaldetail") == 2

    def test_every_fifteenth_run_looks(self, approved):
        redis().delete(CYCLES)
        calls = [reconcile().calls for _run in range(2 * EVERY)]
        assert [number for number, used in enumerate(calls, start=1) if used] == [EVERY - 1, 2 * EVERY - 1]

    def test_of_what_was_submitted_longer_ago_than_a_window_nothing_is_asked(self, approved, its_turn):
        ApprovalInstance.objects.update(submitted_at=timezone.now() - timedelta(days=32))
        its_turn()
        assert reconcile().calls == 0

    def test_where_nothing_is_approved_nothing_is_asked(self, standin, opened, its_turn):
        silently(standin, opened(1)[0], "reject")
        reconcile()
        its_turn()
        assert reconcile().calls == 0


class TestFailures:
    def test_a_form_that_cannot_be_read_does_not_stop_the_others(self, standin, opened):
        for instance in opened(3):
            silently(standin, instance, "agree")
        standin.fault("errcode", "oa/getapprovaldetail", errcode=-1, count=1)
        report = reconcile()
        assert (report.applied, len(report.errors)) == (2, 1)
        assert reconcile().applied == 1

    def test_a_limit_ends_the_run_of_that_app_and_the_next_run_goes_on(self, standin, opened):
        for instance in opened(3):
            silently(standin, instance, "agree")
        standin.fault("errcode", "oa/getapprovaldetail", errcode=45009, count=1)
        report = reconcile()
        assert (report.applied, standin.calls("oa/getapprovaldetail")) == (0, 1)
        redis().flushdb()  # the pause is over
        assert reconcile().applied == 3

    def test_a_wecom_that_is_away_is_named_and_not_asked_for_every_approval(self, standin, opened, settings: Settings):
        opened(2)
        settings.WECOM_API_BASE_URL = refused_url()
        report = reconcile()
        assert report.checked == 0
        assert len(report.errors) == 1
        assert not Incident.objects.exists()  # passes by itself

    def test_what_wecom_refuses_for_good_is_an_incident_until_it_works(self, standin, opened):
        opened(1)
        standin.fault("errcode", "oa/getapprovalinfo", errcode=48002, count=1)
        reconcile()
        incident = Incident.objects.get(key=INCIDENT)
        assert incident.remedy
        reconcile()
        incident.refresh_from_db()
        assert incident.resolved_at is not None

    def test_an_approval_that_cannot_be_taken_in_does_not_stop_the_others(self, standin, opened, monkeypatch):
        bad, good = opened(2)
        for instance in (bad, good):
            silently(standin, instance, "agree")
        apply_remote = engine.apply_remote

        def broken(snapshot, **kwargs):
            if snapshot.sp_no == bad.sp_no:
                raise ValueError("surprise")
            return apply_remote(snapshot, **kwargs)

        monkeypatch.setattr(engine, "apply_remote", broken)
        report = reconcile()
        assert (report.applied, report.errors) == (1, [f"{bad.sp_no}: ValueError: surprise"])

    def test_many_unreadable_forms_do_not_stop_the_others(self, standin, opened):
        """They stay first in line, because they are never proved."""
        instances = opened(8)
        for instance in instances:
            silently(standin, instance, "agree")
        ApprovalInstance.objects.filter(pk=instances[-1].pk).update(last_synced_at=timezone.now())
        standin.fault("errcode", "oa/getapprovaldetail", errcode=301025, count=7)
        report = reconcile()
        assert (report.applied, len(report.errors)) == (1, 7)
        assert report.errors[0].startswith(instances[0].sp_no)

    def test_a_wecom_that_keeps_failing_is_left_alone_after_a_few_calls(self, standin, opened):
        for instance in opened(20):
            silently(standin, instance, "agree")
        standin.fault("errcode", "oa/getapprovaldetail", errcode=-1, count=99)
        reconcile()
        assert standin.calls("oa/getapprovaldetail") == MOST_FAILURES_IN_A_ROW

    def test_without_redis_the_run_says_so_and_ends(self, standin, opened, settings: Settings):
        opened(1)
        settings.REDIS_URL = refused_url().replace("http", "redis")
        assert len(reconcile().errors) == 1


class TestOneAtATime:
    def test_a_second_run_steps_aside(self, standin, opened):
        opened(1)
        redis().set(LOCK, "somebody else", ex=60)
        report = reconcile()
        assert (report.skipped, report.calls) == (True, 0)

    def test_the_lock_is_given_back(self, standin, opened):
        reconcile()
        assert not redis().exists(LOCK)

    def test_a_person_who_asks_for_some_does_not_wait(self, standin, opened):
        (instance,) = opened(1)
        redis().set(LOCK, "somebody else", ex=60)
        assert reconcile([instance.pk]).checked == 1


class TestSome:
    def test_named_approvals_are_compared_whatever_their_state(self, standin, opened):
        decided, other = opened(2)
        silently(standin, decided, "agree")
        reconcile()
        silently(standin, decided, "revoke")
        silently(standin, other, "agree")
        report = reconcile([decided.pk])
        assert (report.applied, report.calls) == (1, 1)
        decided.refresh_from_db()
        other.refresh_from_db()
        assert (decided.status, other.status) == ("revoked", "pending")

    def test_an_approval_without_wecom_is_left_alone(self, standin, submitted):
        instance = submitted(flow="internal", approvers=["wang.boss"])
        assert reconcile([instance.pk]).calls == 0

    def test_one_that_is_being_submitted_is_looked_up(self, standin, submitted):
        standin.fault("close_after", "oa/applyevent")
        instance = submitted()
        operations.run_due()
        assert reconcile([instance.pk]).adopted == 1
        instance.refresh_from_db()
        assert instance.status == "pending"


class TestLostSubmissions:
    def test_one_whose_operation_died_is_found_at_wecom(self, standin, submitted):
        standin.fault("close_after", "oa/applyevent")
        instance = submitted()
        operations.run_due()
        long_ago = timezone.now() - timedelta(hours=1)
        SyncOperation.objects.update(status=Status.DEAD)
        ApprovalInstance.objects.update(submitted_at=long_ago)
        report = reconcile()
        instance.refresh_from_db()
        assert (report.adopted, instance.status, instance.sp_no) == (1, "pending", standin.approvals()[0]["sp_no"])
        assert instance.steps.exists()

    def test_one_that_is_still_being_tried_is_left_to_its_worker(self, standin, submitted):
        standin.fault("close_after", "oa/applyevent")
        submitted()
        operations.run_due()
        ApprovalInstance.objects.update(submitted_at=timezone.now() - timedelta(hours=1))
        assert reconcile().calls == 0

    def test_one_that_never_arrived_stays_and_costs_one_list(self, standin, submitted):
        instance = submitted()
        SyncOperation.objects.all().delete()
        ApprovalInstance.objects.update(submitted_at=timezone.now() - timedelta(hours=1))
        report = reconcile()
        instance.refresh_from_db()
        assert (report.adopted, report.calls, instance.status) == (0, 1, "submitting")


class TestParkedEvents:
    @pytest.fixture
    def parked(self, wecom_app):
        """An event that the inbox could not place."""

        def make(sp_no: str, *, status: int = 1, template: str = "TplQuoteDemo") -> CallbackEvent:
            payload = EVENT.format(sp_no=sp_no, status=status, change=1, template=template, at=1767600000)
            row = CallbackEvent.objects.create(
                key=f"e:{sp_no}", config=wecom_app, event="sys_approval_change", subject=sp_no, payload=payload
            )
            inbox.process_due()
            row.refresh_from_db()
            assert row.parked_at
            return row

        return make

    def test_the_form_tells_whose_event_it_is(self, standin, submitted, parked):
        standin.fault("close_after", "oa/applyevent")
        instance = submitted()
        operations.run_due()
        row = parked(standin.approvals()[0]["sp_no"])
        report = reconcile()
        assert (report.adopted, report.released) == (1, 1)
        inbox.process_due()
        row.refresh_from_db()
        instance.refresh_from_db()
        assert (row.status, instance.status) == (Status.SUCCEEDED, "pending")

    def test_a_refused_submission_that_arrived_after_all_lives_again(self, standin, submitted, parked):
        standin.fault("errcode", "oa/applyevent", errcode=48002, effect=True)
        instance = submitted()
        operations.run_due()
        instance.refresh_from_db()
        assert instance.status == "failed"
        sp_no = standin.approvals()[0]["sp_no"]
        row = parked(sp_no)
        reconcile()
        instance.refresh_from_db()
        assert (instance.status, instance.sp_no) == ("pending", sp_no)
        inbox.process_due()
        row.refresh_from_db()
        assert row.status == Status.SUCCEEDED

    def test_a_form_made_by_hand_is_read_once_and_waits(self, standin, submitted, parked):
        submitted()
        number = standin.post("bulk", third_nos=["made by hand"])["approvals"][0]["sp_no"]
        row = parked(number)
        assert reconcile().calls == 1
        assert reconcile().calls == 0
        row.refresh_from_db()
        assert row.status == Status.FAILED

    def test_without_a_submission_that_could_be_meant_nothing_is_asked(self, standin, parked, template):
        parked(standin.post("bulk", count=1)["approvals"][0]["sp_no"])
        assert reconcile().calls == 0


class TestEngine:
    def test_an_approval_started_on_the_page_is_found_and_followed(self, standin, submitted):
        instance = submitted(flow="wecom_engine")
        assert reconcile().errors == []  # nobody has sent it off yet
        instance.refresh_from_db()
        assert (instance.status, instance.last_synced_at is None) == ("submitting", False)
        standin.post("engine/start", third_no=instance.third_no, userid="li.mei", approvers=["wang.boss"])
        reconcile()
        instance.refresh_from_db()
        assert instance.status == "pending"
        standin.act(instance.third_no, "agree", event=False)
        reconcile()
        instance.refresh_from_db()
        assert instance.status == "approved"

    def test_a_run_is_bounded_and_begins_with_what_was_proved_longest_ago(self, standin, opened, monkeypatch):
        monkeypatch.setattr("approvals.reconcile_engine.MOST_PER_RUN", 1)
        instances = opened(2)
        ApprovalInstance.objects.update(
            flow="wecom_engine", sp_no="", status="submitting", last_synced_at=timezone.now()
        )
        ApprovalInstance.objects.filter(pk=instances[1].pk).update(last_synced_at=None)
        reconcile()
        assert standin.calls("corp/getopenapprovaldata") == 1
        instances[1].refresh_from_db()
        assert instances[1].last_synced_at is not None


NOW = datetime(2026, 6, 1, tzinfo=UTC)


def rows_at(*days_ago: float) -> list[Open]:
    times = sorted(NOW - timedelta(days=days) for days in days_ago)
    return [Open(time, number, str(number), None) for number, time in enumerate(times)]


class TestWindows:
    def test_every_row_is_in_one_window_of_at_most_31_days(self):
        rows = rows_at(*[number / 3 for number in range(400)])
        windows = plan(rows, NOW)
        assert [row for window in windows for row in window.rows] == rows
        for window in windows:
            assert window.end - window.start <= timedelta(days=31)
            assert window.start.microsecond == 0
            assert all(window.start < row.submitted_at < window.end for row in window.rows)
        assert len(windows) == 5

    def test_months_in_which_nothing_is_open_are_not_asked_for(self):
        assert len(plan(rows_at(400, 399, 1), NOW)) == 2

    def test_nothing_open_is_no_window(self):
        assert plan([], NOW) == []

    def test_few_approvals_are_compared_in_every_cycle(self):
        windows = plan(rows_at(100, 50, 1), NOW)
        assert all(len(list(turn_of(windows, cycle, 1))) == 3 for cycle in range(3))

    def test_of_very_many_the_old_windows_take_turns_and_the_newest_is_always_read(self):
        windows = plan(rows_at(*range(0, 200, 5)), NOW)
        cycles = [list(turn_of(windows, cycle, 3)) for cycle in range(3)]
        assert all(windows[-1] in visited for visited in cycles)
        for window in windows[:-1]:
            assert sum(window in visited for visited in cycles) == 1

    def test_more_than_the_limit_means_turns(self, standin, opened, monkeypatch):
        monkeypatch.setattr(reconcile_oa, "ALL_EVERY_CYCLE", 5)
        opened(10, days=90)
        counts = [reconcile().calls for _run in range(2)]
        assert sum(counts) < 2 * len(plan(rows_at(*range(0, 90, 9)), NOW))
        assert not ApprovalInstance.objects.filter(last_synced_at=None).exists()
