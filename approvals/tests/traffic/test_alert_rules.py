"""What the approvals add to the operations alerts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from approvals import engine, operations
from approvals.actors import actor_for
from approvals.alert_rules import silent_callbacks
from approvals.models import ApprovalInstance, Channel, SyncOperation
from config.durable import Status
from notifications import alert_watch, dead_rows
from notifications.models import Incident
from wecom.models import CallbackEvent, WeComConfig

pytestmark = pytest.mark.django_db


def test_a_refused_submission_is_an_incident_until_the_quote_has_been_accepted(standin, submitted, quote):
    standin.fault("errcode", "oa/applyevent", errcode=301055, count=1)
    refused = submitted()
    operations.run_due()
    incident = Incident.objects.get()
    rows = dead_rows.rows_of(incident)
    assert rows is not None
    assert rows.get().instance_id == refused.pk
    quote.refresh_from_db()
    engine.submit(quote=quote, actor=actor_for(refused.applicant, Channel.INTERNAL))
    operations.run_due()
    assert SyncOperation.objects.filter(status=Status.DEAD).count() == 1  # nobody carried it out …
    assert not rows.all().exists()  # … and nobody needs it any more
    assert dead_rows.measure(1) == []


@pytest.fixture
def waiting(submitted) -> ApprovalInstance:
    """An approval that has been open at WeCom for four days, and callbacks that are set up."""
    instance = submitted()
    ApprovalInstance.objects.update(status="pending", sp_no="1", submitted_at=timezone.now() - timedelta(days=4))
    WeComConfig.objects.update(callback_token="token")
    return instance


class TestSilence:
    def test_no_callback_although_approvals_are_open(self, waiting):
        [finding] = silent_callbacks(72)
        assert finding.key.startswith("callbacks:")
        assert silent_callbacks(120) == []
        alert_watch.look()
        assert Incident.objects.filter(key=finding.key, resolved_at=None).exists()

    def test_one_callback_ends_it(self, waiting):
        alert_watch.look()
        CallbackEvent.objects.create(key="e", config=waiting.config, event="enter_agent", payload="<xml/>")
        alert_watch.look()
        assert not Incident.objects.filter(key__startswith="callbacks:", resolved_at=None).exists()

    def test_an_old_callback_does_not_count(self, waiting):
        CallbackEvent.objects.create(
            key="e",
            config=waiting.config,
            event="enter_agent",
            payload="<xml/>",
            created_at=timezone.now() - timedelta(days=4),
        )
        assert len(silent_callbacks(72)) == 1

    def test_nothing_open_nothing_to_hear(self, waiting):
        ApprovalInstance.objects.update(status="approved")
        assert silent_callbacks(72) == []

    def test_who_never_set_callbacks_up_misses_none(self, waiting):
        WeComConfig.objects.update(callback_token="")
        assert silent_callbacks(72) == []
