"""Dead rows and unclaimed events become incidents, one for each cause, and stop being ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from config import draining
from config.durable import PermanentFailure, Status
from notifications import alert_rules, alert_watch, dead_rows
from notifications.dead_rows import Cause
from notifications.incidents import resolve_incident
from notifications.listeners import resolve_recovered
from notifications.models import AlertRule, AlertRuleKind, Incident
from wecom import inbox
from wecom.models import CallbackEvent, WeComConfig

pytestmark = pytest.mark.django_db(transaction=True)  # row_died is sent after commit
LIST = "/admin/wecom/callbackevent/"


@pytest.fixture
def add() -> Callable[[int], None]:
    """Add so many events to the inbox."""
    config = WeComConfig.objects.create(slug="default", name="app", corp_id="ww1", agent_id=1, secret="s")

    def add(count: int) -> None:
        CallbackEvent.objects.bulk_create(
            CallbackEvent(
                key=f"e:{CallbackEvent.objects.count() + number}",
                config=config,
                event="sys_approval_change",
                subject=f"20260105{number:04}",
                payload="<xml/>",
            )
            for number in range(count)
        )

    return add


def fail(row: CallbackEvent) -> None:
    raise PermanentFailure(f"Approval {row.subject} is missing; look at page {row.pk}.")


def refused(row: CallbackEvent) -> None:
    raise PermanentFailure(f"WeCom refused {row.subject}. [oa/applyevent, errcode 60011, hint 17{row.pk}]")


def succeed(_row: CallbackEvent) -> None:
    """Nothing stands in the way any more."""


def drain(handler: Callable[[CallbackEvent], None]) -> None:
    draining.drain_in_transaction(CallbackEvent, handler)


def rows_of(incident: Incident) -> list[CallbackEvent]:
    return list(dead_rows.rows_of(incident) or [])


def recovered() -> int:
    """What two looks in half a minute resolve."""
    first = resolve_recovered()
    with time_machine.travel(timezone.now() + timedelta(seconds=30)):
        return first + resolve_recovered()


def test_many_rows_that_died_of_one_cause_are_one_incident(add: Callable[[int], None]) -> None:
    add(200)
    drain(fail)
    incident = Incident.objects.get()
    assert incident.remedy
    assert len(rows_of(incident)) == 200
    alert_watch.look()
    incident.refresh_from_db()
    assert "200" in incident.detail


def test_rows_that_died_of_different_causes_are_different_incidents(add: Callable[[int], None]) -> None:
    add(10)
    drain(lambda row: (fail if row.pk % 2 else refused)(row))
    found = {len(rows_of(incident)) for incident in Incident.objects.all()}
    assert (Incident.objects.count(), found) == (2, {5})


def test_wecoms_error_code_is_the_cause_whatever_the_sentence(add: Callable[[int], None]) -> None:
    add(2)
    drain(lambda row: refused(row) if row.pk % 2 else fail_otherwise(row))
    assert Incident.objects.count() == 1
    other = Cause.of(CallbackEvent, "Something. [errcode 6001]")
    assert Incident.objects.get().key != other.key
    assert not dead_rows.dead(CallbackEvent).filter(last_error__regex=other.pattern).exists()


def fail_otherwise(_row: CallbackEvent) -> None:
    raise PermanentFailure("Another sentence altogether [message/send, errcode 60011]")


def test_wecoms_reference_of_one_call_is_no_headline(add: Callable[[int], None]) -> None:
    add(1)
    drain(refused)
    incident = Incident.objects.get()
    assert incident.said("title").endswith("WeCom refused 202601050000.")
    assert "errcode 60011, hint 17" in incident.said("detail")


def test_every_sentence_matches_its_own_cause(add: Callable[[int], None]) -> None:
    """On this database: the pattern is a regular expression, and databases differ in those."""
    add(1)
    sentences = [
        "WeCom（企业微信）拒绝：模板“C4RbRi-1”，控件 Text-1639022 缺失；报价 CIS-20260105-0001 (第 2 版)！",
        "a+b*c? [x] {y} ^$ | \\ / ~ # & - . , ; : ' \" % _ @ <tag> 100 %",
        "1",
        "first line 12\nsecond line 13",
        "x" * 1999,
        "x 1 " * 400,
    ]
    for sentence in sentences:
        CallbackEvent.objects.update(status=Status.DEAD, last_error=sentence, finished_at=timezone.now())
        [cause] = [found[0] for found in dead_rows._causes(CallbackEvent)]
        rows = dead_rows.dead(CallbackEvent)
        assert rows.filter(last_error__regex=cause.pattern).count() == 1, sentence
        assert Cause.of(CallbackEvent, sentence.replace("1", "77")).key == cause.key


def test_the_database_counts_equal_errors_and_the_latest_death_speaks(add: Callable[[int], None]) -> None:
    add(9)
    now = timezone.now()
    deaths = [("Quote 1 is refused", 30), ("Quote 2 is refused", 10), ("Another cause", 20)]
    for number, row in enumerate(CallbackEvent.objects.order_by("pk")):
        error, minutes = deaths[number % 3]
        died = {"last_error": error, "finished_at": now - timedelta(minutes=minutes + number)}
        CallbackEvent.objects.filter(pk=row.pk).update(status=Status.DEAD, **died)
    with CaptureQueriesContext(connection) as queries:
        found = [(cause.sentence, count, latest) for cause, count, latest in dead_rows._causes(CallbackEvent)]
    assert sorted(found) == [
        ("Another cause", 3, now - timedelta(minutes=22)),
        ("Quote 2 is refused", 6, now - timedelta(minutes=11)),
    ]
    [query] = queries.captured_queries
    assert "GROUP BY" in query["sql"]


def test_the_incident_ends_when_none_of_the_rows_is_dead(add: Callable[[int], None]) -> None:
    add(3)
    drain(fail)
    incident = Incident.objects.get()
    assert recovered() == 0
    CallbackEvent.objects.filter(subject="202601050000").retry()
    drain(succeed)
    assert recovered() == 0
    CallbackEvent.objects.all().retry()
    assert resolve_recovered() == 0  # retried is not succeeded
    drain(succeed)
    assert recovered() == 1
    incident.refresh_from_db()
    assert incident.resolved_at is not None


def test_a_row_that_dies_again_opens_no_second_incident(add: Callable[[int], None]) -> None:
    add(1)
    drain(fail)
    CallbackEvent.objects.all().retry()
    assert resolve_recovered() == 0
    drain(fail)
    with time_machine.travel(timezone.now() + timedelta(seconds=30)):
        assert resolve_recovered() == 0
    assert Incident.objects.get().times == 2


def test_an_incident_about_rows_that_are_gone_ends(add: Callable[[int], None]) -> None:
    add(2)
    drain(fail)
    CallbackEvent.objects.all().delete()
    assert recovered() == 1


def test_what_a_person_has_closed_stays_closed_until_another_row_dies(add: Callable[[int], None]) -> None:
    add(2)
    drain(fail)
    resolve_incident(Incident.objects.get().key)
    alert_watch.look()
    assert not Incident.objects.filter(resolved_at=None).exists()
    CallbackEvent.objects.filter(subject="202601050000").retry()
    drain(fail)
    assert Incident.objects.filter(resolved_at=None).count() == 1


def test_a_threshold_opens_the_incident_when_so_many_are_dead(add: Callable[[int], None]) -> None:
    alert_rules.create_rules()
    AlertRule.objects.filter(kind=AlertRuleKind.DEAD_ROWS).update(threshold=3)
    add(2)
    drain(fail)
    alert_watch.look()
    assert not Incident.objects.exists()
    add(1)
    drain(fail)
    alert_watch.look()
    incident = Incident.objects.get()
    CallbackEvent.objects.exclude(key="e:0").retry()
    drain(succeed)
    alert_watch.look()
    incident.refresh_from_db()
    assert incident.resolved_at is None  # below the threshold, yet one is still dead


def test_a_rule_that_is_switched_off_opens_nothing(add: Callable[[int], None]) -> None:
    alert_rules.create_rules()
    AlertRule.objects.filter(kind=AlertRuleKind.DEAD_ROWS).update(enabled=False)
    add(1)
    drain(fail)
    alert_watch.look()
    assert not Incident.objects.exists()


def test_it_is_read_in_the_readers_language_with_a_link_to_just_these_rows(
    add: Callable[[int], None], admin_client: Client
) -> None:
    add(3)
    drain(lambda row: fail(row) if row.subject != "202601050001" else refused(row))
    incident = next(row for row in Incident.objects.all() if "missing" in row.title)
    with translation.override("en"):
        assert incident.said("title").startswith("callback events (inbox) gave up: Approval")
    with translation.override("zh-hans"):
        assert "inbox" not in incident.said("title")
    address = dead_rows.list_of(incident)
    assert address.startswith(LIST)
    page = admin_client.get(address)
    assert sorted(row.subject for row in page.context["cl"].result_list) == ["202601050000", "202601050002"]
    admin_client.cookies["django_language"] = "en"
    shown = admin_client.get(f"/admin/notifications/incident/{incident.pk}/change/").content.decode()
    assert "2 rows" in shown and "Callback events (inbox) gave up" in shown
    assert address.replace("&", "&amp;") in shown
    assert User.objects.count() == 1


@pytest.fixture
def given_up(add: Callable[[int], None]) -> CallbackEvent:
    """An event that was parked for longer than the inbox waits."""
    add(1)
    event = CallbackEvent.objects.get()
    event.subject = "202601050001"
    event.payload = "<xml><ApprovalInfo><SpNoStr>202601050001</SpNoStr><SpStatus>1</SpStatus></ApprovalInfo></xml>"
    event.parked_at = timezone.now() - inbox.PARKED_FOR - timedelta(minutes=1)
    event.status = Status.FAILED
    event.save()
    inbox.process_due()
    event.refresh_from_db()
    assert (event.status, event.outcome) == (Status.DEAD, inbox.GIVEN_UP)
    return event


def test_an_event_nobody_claimed_is_one_incident_for_its_approval(given_up: CallbackEvent) -> None:
    alert_watch.look()
    incident = Incident.objects.get()
    assert given_up.subject in incident.title
    assert resolve_recovered() == 0


def test_it_ends_when_the_event_was_processed_after_all(given_up: CallbackEvent) -> None:
    inbox.replay(CallbackEvent.objects.all())
    drain(succeed)
    assert resolve_recovered() == 1
    assert Incident.objects.get().resolved_at is not None
