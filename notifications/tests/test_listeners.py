"""Dead rows and unclaimed events become incidents, and stop being ones."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from config import draining
from config.durable import PermanentFailure, Status
from notifications.listeners import resolve_recovered
from notifications.models import Incident
from wecom import inbox
from wecom.models import CallbackEvent, WeComConfig

pytestmark = pytest.mark.django_db(transaction=True)  # row_died is sent after commit


@pytest.fixture
def event() -> CallbackEvent:
    config = WeComConfig.objects.create(slug="default", name="app", corp_id="ww1", agent_id=1, secret="s")
    row: CallbackEvent = CallbackEvent.objects.create(
        key="e:1", config=config, event="sys_approval_change", subject="202601050001", payload="<xml/>"
    )
    return row


def fail(_row: CallbackEvent) -> None:
    raise PermanentFailure("the sentence")


def succeed(_row: CallbackEvent) -> None:
    """Nothing stands in the way any more."""


def test_a_dead_row_is_one_incident_with_its_sentence_until_it_has_succeeded(event):
    draining.drain_in_transaction(CallbackEvent, fail)
    incident = Incident.objects.get()
    assert incident.detail == "the sentence"
    assert incident.remedy
    assert resolve_recovered() == 0

    CallbackEvent.objects.all().retry()
    assert resolve_recovered() == 0  # retried is not succeeded
    draining.drain_in_transaction(CallbackEvent, succeed)
    assert resolve_recovered() == 1
    incident.refresh_from_db()
    assert incident.resolved_at is not None


def test_a_row_that_dies_again_opens_no_second_incident(event):
    draining.drain_in_transaction(CallbackEvent, fail)
    CallbackEvent.objects.all().retry()
    draining.drain_in_transaction(CallbackEvent, fail)
    assert Incident.objects.get().times == 2


def test_an_incident_about_a_row_that_is_gone_ends(event):
    draining.drain_in_transaction(CallbackEvent, fail)
    event.delete()
    assert resolve_recovered() == 1


@pytest.fixture
def given_up(event: CallbackEvent) -> CallbackEvent:
    """An event that was parked for longer than the inbox waits."""
    event.payload = "<xml><ApprovalInfo><SpNoStr>202601050001</SpNoStr><SpStatus>1</SpStatus></ApprovalInfo></xml>"
    event.parked_at = timezone.now() - inbox.PARKED_FOR - timedelta(minutes=1)
    event.status = Status.FAILED
    event.save()
    inbox.process_due()
    event.refresh_from_db()
    assert (event.status, event.outcome) == (Status.DEAD, inbox.GIVEN_UP)
    return event


def test_an_event_nobody_claimed_is_one_incident_for_its_approval(given_up):
    incident = Incident.objects.get()
    assert given_up.subject in incident.title
    assert resolve_recovered() == 0


def test_it_ends_when_the_event_was_processed_after_all(given_up):
    inbox.replay(CallbackEvent.objects.all())
    draining.drain_in_transaction(CallbackEvent, succeed)
    assert resolve_recovered() == 1
    assert Incident.objects.get().resolved_at is not None
