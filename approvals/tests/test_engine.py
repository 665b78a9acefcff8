"""The verbs: state, right, timeline, outbound operations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from approvals import engine, quotes
from approvals.actors import Actor, actor_for
from approvals.exceptions import InvalidInput, NoInstance, NotAllowed, WrongState
from approvals.models import ApprovalInstance, ApprovalTimeline, Channel, Quote, SyncOperation
from approvals.tests.conftest import grant
from approvals.tests.snapshots import after, says, step
from wecom.models import Member, Origin, WeComConfig

Submitted = Callable[..., ApprovalInstance]
AsActor = Callable[..., Actor]


def state(instance: ApprovalInstance) -> tuple[str, str, str]:
    """The approval's state, and the quote's two, as stored."""
    instance = ApprovalInstance.objects.select_related("quote").get(pk=instance.pk)
    return instance.status, instance.quote.approval_status, instance.quote.status


def entries(instance: ApprovalInstance) -> list[tuple[str, str, str, str]]:
    rows = instance.timeline.order_by("id")
    return [(row.channel, row.action, row.to_status, row.outcome) for row in rows]


# --- submit -------------------------------------------------------------------------------------------------------


def test_submitting_writes_instance_timeline_and_operation_together(submitted: Submitted, quote: Quote) -> None:
    instance = submitted()
    assert state(instance) == ("submitting", "submitting", "in_approval")
    assert instance.third_no == quote.quote_number
    assert instance.applicant_userid == "li.mei"
    assert entries(instance) == [("internal", "submit", "submitting", "applied")]
    assert [operation.key for operation in SyncOperation.objects.all()] == [f"submit:{instance.pk}"]


def test_a_second_submission_is_refused_with_the_state_that_stands_in_the_way(submitted: Submitted) -> None:
    submitted()
    with pytest.raises(WrongState) as refusal:
        submitted()
    assert refusal.value.current["approval_status"] == "submitting"
    assert ApprovalInstance.objects.count() == 1


def test_an_empty_quote_is_refused_and_nothing_is_written(quote: Quote, li: User, as_actor: AsActor) -> None:
    quotes.update_quote(quote=quote, data={"items": []}, actor=as_actor(li))
    with pytest.raises(InvalidInput) as refusal:
        engine.submit(quote=quote, actor=as_actor(li))
    assert set(refusal.value.errors) == {"items"}
    assert not ApprovalInstance.objects.exists() and not SyncOperation.objects.exists()


def test_without_linked_member_the_apps_default_applicant_submits(
    quote: Quote, li: User, wecom_app: WeComConfig, as_actor: AsActor
) -> None:
    Member.objects.filter(user=li).delete()
    with pytest.raises(InvalidInput) as refusal:
        engine.submit(quote=quote, actor=as_actor(li))
    assert set(refusal.value.errors) == {"applicant"}
    assert not ApprovalInstance.objects.exists()
    WeComConfig.objects.update(default_applicant="desk")
    assert engine.submit(quote=quote, actor=as_actor(li)).applicant_userid == "desk"


def test_third_no_counts_resubmissions(quote: Quote, li: User, submitted: Submitted, as_actor: AsActor) -> None:
    first = submitted()
    engine.submission_failed(instance=first, code="301025", message="form data wrong")
    assert state(first) == ("failed", "failed", "failed")
    second = submitted()
    engine.withdraw(instance=second, actor=as_actor(li))
    third = submitted()
    assert [i.third_no for i in (first, second, third)] == [quote.quote_number + s for s in ("", "-2", "-3")]


@pytest.mark.parametrize("flow", ["carrier_pigeon", ""])
def test_unknown_flows_are_refused(submitted: Submitted, flow: str) -> None:
    if flow:
        with pytest.raises(InvalidInput):
            submitted(flow=flow)
    assert not ApprovalInstance.objects.exists()


@pytest.mark.parametrize("approvers", [["<script>"], [""], ["a" * 65], ["x"] * 31])
def test_approvers_must_be_possible_userids(submitted: Submitted, approvers: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        submitted(approvers=approvers)
    assert set(refusal.value.errors) == {"approvers"}


def test_a_refused_submission_can_be_resumed_until_the_quote_has_moved_on(
    submitted: Submitted, quote: Quote, li: User, as_actor: AsActor
) -> None:
    first = submitted()
    engine.submission_failed(instance=first, code="301055", message="not in scope")
    engine.resume_submission(instance=first)
    first.refresh_from_db()
    assert (first.error_code, state(first)) == ("", ("submitting", "submitting", "in_approval"))

    engine.submission_failed(instance=first, code="301055", message="not in scope")
    quotes.revise(quote=quote, actor=as_actor(li))
    engine.resume_submission(instance=first)
    assert state(first) == ("failed", "not_submitted", "draft")


# --- decide here ----------------------------------------------------------------------------------------------------


def test_an_internal_flow_is_pending_at_once_and_its_approver_decides(
    submitted: Submitted, wang: User, as_actor: AsActor
) -> None:
    instance = submitted(flow="internal", approvers=["wang.boss"])
    assert state(instance)[0] == "pending"
    engine.approve(instance=instance, actor=as_actor(wang), comment="好")
    assert state(instance) == ("approved", "approved", "approved")
    instance.refresh_from_db()
    assert not instance.remote_pending and instance.decided_channel == "internal"


def test_all_approvers_must_agree_and_each_only_once(
    submitted: Submitted, wang: User, zhao: User, as_actor: AsActor
) -> None:
    instance = submitted(flow="internal", approvers=["wang.boss", "zhao.vp"])
    engine.approve(instance=instance, actor=as_actor(wang))
    assert state(instance)[0] == "pending"
    with pytest.raises(NotAllowed) as refusal:
        engine.approve(instance=instance, actor=as_actor(wang))
    assert refusal.value.code == "not_your_turn"
    engine.approve(instance=instance, actor=as_actor(zhao))
    assert state(instance)[0] == "approved"


def test_rejecting_needs_a_reason_and_ends_the_approval(
    submitted: Submitted, wang: User, zhao: User, as_actor: AsActor
) -> None:
    instance = submitted(flow="internal", approvers=["wang.boss", "zhao.vp"])
    with pytest.raises(InvalidInput):
        engine.reject(instance=instance, actor=as_actor(wang), reason="  ")
    engine.reject(instance=instance, actor=as_actor(wang), reason="太贵")
    assert state(instance) == ("rejected", "rejected", "rejected")
    with pytest.raises(WrongState):
        engine.approve(instance=instance, actor=as_actor(zhao))


def test_who_is_no_approver_cannot_decide_and_nothing_is_written(
    submitted: Submitted, chen: User, li: User, zhao: User, as_actor: AsActor
) -> None:
    instance = submitted(flow="internal", approvers=["wang.boss"])
    before = ApprovalTimeline.objects.count()
    for user, code in ((chen, "not_an_approver"), (zhao, "not_an_approver"), (li, "own_quote")):
        with pytest.raises(NotAllowed) as refusal:
            engine.approve(instance=instance, actor=as_actor(user))
        assert refusal.value.code == code
    assert ApprovalTimeline.objects.count() == before and state(instance)[0] == "pending"


def test_an_applicant_who_is_also_approver_cannot_approve_the_own_quote(
    submitted: Submitted, li: User, as_actor: AsActor
) -> None:
    grant(li, "decide_approval", "decide_any_approval")
    instance = submitted(approvers=["li.mei"], sp_no="202601050001")
    with pytest.raises(NotAllowed) as refusal:
        engine.approve(instance=instance, actor=as_actor(User.objects.get(pk=li.pk)))
    assert refusal.value.code == "own_quote"


def test_a_decision_on_an_oa_form_is_told_in_wecom_and_waits_for_wecom(
    submitted: Submitted, wang: User, as_actor: AsActor
) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="202601050001")
    engine.approve(instance=instance, actor=as_actor(wang), comment="ok")
    instance.refresh_from_db()
    assert (instance.status, instance.remote_pending) == ("approved", True)
    told = SyncOperation.objects.get(kind="tell")
    assert told.payload["to"] == ["li.mei", "wang.boss"] and told.payload["verb"] == "approve"
    # WeCom catches up
    engine.apply_remote(says("approved", at=after(60)), source="callback", event_id="e1")
    instance.refresh_from_db()
    assert (instance.status, instance.remote_pending, instance.conflict) == ("approved", False, False)


def test_withdrawing_is_the_applicants(submitted: Submitted, wang: User, li: User, as_actor: AsActor) -> None:
    instance = submitted(sp_no="202601050001")
    with pytest.raises(NotAllowed):
        engine.withdraw(instance=instance, actor=as_actor(wang))
    engine.withdraw(instance=instance, actor=as_actor(li))
    assert state(instance) == ("cancelled", "cancelled", "cancelled")


def test_withdrawn_while_on_its_way_the_number_is_kept_and_wecom_is_awaited(
    submitted: Submitted, li: User, as_actor: AsActor
) -> None:
    instance = submitted()
    engine.withdraw(instance=instance, actor=as_actor(li))
    engine.submission_accepted(instance=instance, sp_no="202601050009")
    instance.refresh_from_db()
    assert (instance.status, instance.sp_no, instance.remote_pending) == ("cancelled", "202601050009", True)
    assert SyncOperation.objects.filter(kind="tell", payload__verb="withdraw").exists()


def test_a_delegate_decides_in_the_approvers_place(
    submitted: Submitted, wang: User, zhao: User, as_actor: AsActor
) -> None:
    instance = submitted(flow="internal", approvers=["wang.boss"])
    with pytest.raises(InvalidInput):
        engine.delegate(instance=instance, actor=as_actor(wang), delegate_to="no spaces allowed")
    engine.delegate(instance=instance, actor=as_actor(wang), delegate_to="Zhao.VP")
    engine.approve(instance=instance, actor=as_actor(zhao))
    assert state(instance)[0] == "approved"


@pytest.mark.parametrize("userid", ["nobody", "gone.girl"])
def test_who_is_not_in_the_directory_cannot_be_asked(
    submitted: Submitted, wang: User, as_actor: AsActor, wecom_app: WeComConfig, userid: str
) -> None:
    """Their card could never be sent, and the approval would wait for it."""
    for name, gone in {"sun.director": None, "gone.girl": timezone.now()}.items():
        Member.objects.create(config=wecom_app, userid=name, name=name, origin=Origin.WECOM, deleted_at=gone)
    instance = submitted(approvers=["wang.boss"], sp_no="202601050001")
    with pytest.raises(InvalidInput) as refusal:
        engine.delegate(instance=instance, actor=as_actor(wang), delegate_to=userid)
    assert [*refusal.value.errors] == ["delegate_to"]
    engine.delegate(instance=instance, actor=as_actor(wang), delegate_to="sun.director")


def test_reminders_have_a_pause_between_them(submitted: Submitted, li: User, as_actor: AsActor) -> None:
    instance = submitted(flow="internal", approvers=["wang.boss"])
    with time_machine.travel("2026-01-05T08:00:00Z", tick=False) as clock:
        engine.remind(instance=instance, actor=as_actor(li))
        with pytest.raises(WrongState) as refusal:
            engine.remind(instance=instance, actor=as_actor(li))
        assert refusal.value.code == "reminded_recently"
        clock.shift(timedelta(minutes=10))  # the default of APPROVAL_REMIND_MINUTES
        engine.remind(instance=instance, actor=as_actor(li))
    assert SyncOperation.objects.filter(payload__verb="remind").count() == 2


# --- WeCom says -------------------------------------------------------------------------------------------------------


def test_wecoms_decision_reaches_approval_quote_steps_and_timeline(submitted: Submitted, wang: User) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="202601050001")
    word = says(
        "approved", at=after(9), change_code=2, steps=[step("wang.boss", "approved", at=after(9), comment="同意")]
    )
    assert engine.apply_remote(word, source="callback", event_id="e1") == "applied"
    assert state(instance) == ("approved", "approved", "approved")
    entry = instance.timeline.get(event_id="e1")
    assert (entry.channel, entry.action, entry.actor, entry.at) == ("wecom", "approve", "Wang", after(9))
    assert (entry.comment, instance.steps.get().comment) == ("同意", "同意")


def test_the_timeline_quotes_who_acted_in_wecom_and_nobody_else(submitted: Submitted, wang: User, as_actor) -> None:
    """Also behind a decision taken here; an event about the applicant brings no words of approvers."""
    instance = submitted(approvers=["wang.boss", "zhao.vp"], sp_no="202601050001")
    wangs = step("wang.boss", "approved", at=after(3), comment="尽快交货")
    zhaos = step("zhao.vp", "rejected", at=after(9), comment="毛利太低")
    engine.approve(instance=instance, actor=as_actor(wang), comment="here")
    for event_id, word in {
        "his": says("pending", at=after(3), change_code=2, steps=[wangs, step("zhao.vp")]),
        "hers": says("rejected", at=after(9), change_code=3, steps=[wangs, zhaos]),
        "repeated": says("rejected", at=after(9), change_code=3, steps=[wangs, zhaos]),
    }.items():
        engine.apply_remote(word, source="callback", event_id=event_id)
    said = instance.timeline.filter(channel="wecom").order_by("pk").values_list("event_id", "actor", "comment")
    assert list(said) == [("his", "Wang", "尽快交货"), ("hers", "zhao.vp", "毛利太低"), ("repeated", "zhao.vp", "")]


def test_a_withdrawal_in_wecom_does_not_borrow_the_words_of_an_approver(submitted: Submitted) -> None:
    instance = submitted(approvers=["wang.boss", "zhao.vp"], sp_no="202601050001")
    missed = step("wang.boss", "approved", at=after(3), comment="尽快交货")
    word = says("cancelled", at=after(9), change_code=6, steps=[missed, step("zhao.vp")])
    engine.apply_remote(word, source="callback", event_id="e1")
    entry = instance.timeline.get(event_id="e1")
    assert (entry.action, entry.comment) == ("withdraw", "")


def test_the_same_event_processed_again_changes_no_row(submitted: Submitted) -> None:
    instance = submitted(sp_no="202601050001")
    engine.apply_remote(says("approved"), source="callback", event_id="e1")
    before = list(ApprovalInstance.objects.values()), list(ApprovalTimeline.objects.values())
    assert engine.apply_remote(says("approved"), source="callback", event_id="e1") == "unchanged"
    assert (list(ApprovalInstance.objects.values()), list(ApprovalTimeline.objects.values())) == before
    assert state(instance)[0] == "approved"


def test_an_event_out_of_order_is_kept_as_stale(submitted: Submitted) -> None:
    instance = submitted(sp_no="202601050001")
    engine.apply_remote(says("approved", at=after(5)), source="callback", event_id="late")
    assert engine.apply_remote(says("pending", at=after(1)), source="callback", event_id="early") == "stale"
    assert state(instance)[0] == "approved"
    assert instance.timeline.get(event_id="early").outcome == "stale"


def test_an_older_pending_event_does_not_take_back_a_step(submitted: Submitted) -> None:
    instance = submitted(approvers=["wang.boss", "zhao.vp"], sp_no="202601050001")
    newer = says("pending", at=after(9), steps=[step("wang.boss", "approved", at=after(9)), step("zhao.vp")])
    engine.apply_remote(newer, source="callback", event_id="b")
    older = says("pending", at=after(1), steps=[step("wang.boss"), step("zhao.vp")])
    assert engine.apply_remote(older, source="callback", event_id="a") == "stale"
    assert instance.steps.get(userid="wang.boss").status == "approved"


def test_an_unknown_status_is_kept_raw_and_reported(submitted: Submitted) -> None:
    instance = submitted(sp_no="202601050001")
    assert engine.apply_remote(says(None, code=42), source="callback", event_id="x") == "unknown"
    instance.refresh_from_db()
    assert (instance.status, instance.remote_status_code) == ("pending", 42)


def test_paid_is_approved_with_the_time_of_payment(submitted: Submitted) -> None:
    instance = submitted(sp_no="202601050001")
    with time_machine.travel(after(500), tick=False):  # a polled form does not say when it was paid
        engine.apply_remote(says("paid", at=after(100)), source="reconcile")
    instance.refresh_from_db()
    assert (instance.status, instance.paid_at) == ("approved", after(500))


def test_our_number_matches_before_wecoms(submitted: Submitted, quote: Quote) -> None:
    instance = submitted(flow="wecom_engine")
    engine.apply_remote(
        says("pending", sp_no="", third_no=quote.quote_number, kind="engine"), source="callback", event_id="e"
    )
    assert state(instance)[0] == "pending"


def test_a_poll_without_news_proves_the_state_and_leaves_no_entry(submitted: Submitted) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="202601050001")
    before = instance.timeline.count()
    for seconds in (10, 20):
        assert engine.apply_remote(says("pending", at=after(seconds)), source="reconcile") in ("unchanged", "applied")
    instance.refresh_from_db()
    assert instance.last_synced_at is not None
    assert instance.timeline.count() <= before + 1


@pytest.mark.parametrize(("policy", "expected"), [("first_wins", "approved"), ("wecom_wins", "rejected")])
def test_a_contradiction_is_a_conflict_until_a_person_closes_it(
    submitted: Submitted, wang: User, chen: User, as_actor: AsActor, settings: object, policy: str, expected: str
) -> None:
    settings.APPROVAL_CONFLICT_POLICY = policy  # type: ignore[attr-defined]
    instance = submitted(approvers=["wang.boss"], sp_no="202601050001")
    engine.approve(instance=instance, actor=as_actor(wang))
    assert engine.apply_remote(says("rejected", at=after(9)), source="callback", event_id="no") == "conflict"
    instance.refresh_from_db()
    assert (instance.status, instance.conflict, instance.remote_status) == (expected, True, "rejected")
    assert {entry.action for entry in instance.timeline.all()} >= {"approve", "reject"}
    with pytest.raises(NotAllowed):
        engine.close_conflict(instance=instance, actor=as_actor(wang), keep="ours", reason="spoken")
    engine.close_conflict(instance=instance, actor=as_actor(chen), keep="wecom", reason="客户已确认")
    instance.refresh_from_db()
    assert (instance.status, instance.conflict) == ("rejected", False)


@pytest.mark.parametrize("policy", ["first_wins", "wecom_wins"])
@pytest.mark.parametrize(("keep", "expected"), [("ours", "approved"), ("wecom", "rejected")])
def test_the_chosen_side_stands_whatever_the_policy(
    submitted: Submitted,
    wang: User,
    chen: User,
    as_actor: AsActor,
    settings: Any,
    policy: str,
    keep: str,
    expected: str,
) -> None:
    settings.APPROVAL_CONFLICT_POLICY = policy
    instance = submitted(approvers=["wang.boss"], sp_no="202601050001")
    engine.approve(instance=instance, actor=as_actor(wang))
    engine.apply_remote(says("rejected", at=after(9)), source="callback", event_id="no")
    engine.close_conflict(instance=instance, actor=as_actor(chen), keep=keep, reason="decided")
    assert state(instance)[0] == expected


def test_a_submission_found_alive_after_a_revision_blocks_the_next_one_with_a_sentence(
    submitted: Submitted, quote: Quote, li: User, as_actor: AsActor
) -> None:
    first = submitted()
    engine.submission_failed(instance=first, code="301057", message="lost")
    quotes.revise(quote=quote, actor=as_actor(li))
    engine.apply_remote(says("pending", third_no=first.third_no), source="reconcile")
    with pytest.raises(WrongState):
        submitted()


def test_wecoms_side_cannot_be_kept_while_another_submission_is_under_way(
    submitted: Submitted, chen: User, as_actor: AsActor
) -> None:
    first = submitted()
    engine.submission_failed(instance=first, code="301057", message="lost")
    submitted()
    word = says("pending", third_no=first.third_no)
    assert engine.apply_remote(word, source="callback", event_id="alive") == "conflict"
    with pytest.raises(WrongState):
        engine.close_conflict(instance=first, actor=as_actor(chen), keep="wecom", reason="decided")


def test_another_companys_number_is_not_ours(submitted: Submitted) -> None:
    instance = submitted(sp_no="202601050001")
    other = WeComConfig.objects.create(slug="other", name="B", corp_id="wwother", agent_id=7, secret="s")
    with pytest.raises(NoInstance):
        engine.apply_remote(says("approved"), source="callback", event_id="b", config_id=other.pk)
    assert instance.config is not None
    ours = WeComConfig.objects.create(slug="second", name="A2", corp_id=instance.config.corp_id, agent_id=8, secret="s")
    assert engine.apply_remote(says("approved"), source="callback", event_id="a", config_id=ours.pk) == "applied"


def test_an_unknown_status_is_taken_in_once_the_program_knows_it(submitted: Submitted) -> None:
    instance = submitted(sp_no="202601050001")
    engine.apply_remote(says(None, code=42), source="callback", event_id="x")
    assert engine.apply_remote(says("approved"), source="callback", event_id="x") == "applied"
    assert engine.apply_remote(says("approved"), source="callback", event_id="x") == "unchanged"
    assert (state(instance)[0], instance.timeline.filter(event_id__endswith="x").count()) == ("approved", 2)


def test_delegating_to_the_applicant_is_refused(submitted: Submitted, wang: User, as_actor: AsActor) -> None:
    instance = submitted(flow="internal", approvers=["wang.boss"])
    with pytest.raises(InvalidInput):
        engine.delegate(instance=instance, actor=as_actor(wang), delegate_to="LI.mei")


def test_an_owner_cannot_approve_what_a_colleague_submitted_for_them(
    quote: Quote, li: User, person: Callable[..., User], as_actor: AsActor
) -> None:
    grant(li, "decide_approval")
    boss = person("boss", "boss", "submit_quote", "manage_all_quotes")
    instance = engine.submit(quote=quote, actor=as_actor(boss), flow="internal", approvers=["li.mei"])
    with pytest.raises(NotAllowed) as refusal:
        engine.approve(instance=instance, actor=as_actor(User.objects.get(pk=li.pk)))
    assert refusal.value.code == "own_quote"


def test_a_word_about_an_older_submission_leaves_the_quote_alone(
    submitted: Submitted, quote: Quote, li: User, as_actor: AsActor
) -> None:
    first = submitted(sp_no="202601050001")
    engine.apply_remote(says("rejected"), source="callback", event_id="a")
    second = submitted(sp_no="202601050002")
    engine.apply_remote(says("deleted", at=after(5)), source="reconcile")
    first.refresh_from_db()
    assert first.status == "deleted"
    assert state(second) == ("pending", "pending", "in_approval")


# --- no loop --------------------------------------------------------------------------------------------------------


def test_what_was_done_in_wecom_is_never_sent_back_to_wecom(submitted: Submitted, wang: User) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="202601050001")
    before = set(SyncOperation.objects.values_list("key", flat=True))
    for n, status in enumerate(["pending", "approved", "paid", "revoked", "deleted"]):
        engine.apply_remote(says(status, at=after(n)), source="callback", event_id=f"e{n}")
    assert set(SyncOperation.objects.values_list("key", flat=True)) == before
    assert state(instance)[0] == "deleted"


def test_a_press_on_a_card_turns_the_cards_and_tells_the_applicant_alone(submitted: Submitted, wang: User) -> None:
    instance = submitted(flow="internal", approvers=["wang.boss"])
    SyncOperation.objects.all().delete()
    engine.approve(instance=instance, actor=Actor(channel=Channel.WECOM, userid="WANG.boss", name="Wang"))
    assert state(instance)[0] == "approved"
    cards, told = SyncOperation.objects.order_by("pk")
    assert (cards.kind, told.kind, told.payload["to"]) == ("cards", "tell", ["li.mei"])


def test_the_timeline_cannot_be_edited_or_deleted(submitted: Submitted) -> None:
    entry = submitted().timeline.get()
    entry.comment = "rewritten"
    for attempt in (entry.save, entry.delete, ApprovalTimeline.objects.all().delete):
        with pytest.raises(TypeError):
            attempt()
    with pytest.raises(TypeError):
        ApprovalTimeline.objects.update(comment="rewritten")


def test_an_actor_without_right_submits_nothing(quote: Quote, wang: User) -> None:
    with pytest.raises(NotAllowed):
        engine.submit(quote=quote, actor=actor_for(wang, Channel.API))
    assert not ApprovalInstance.objects.exists()
