"""Telling people: who, in which words, once, in the caller's transaction."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import gettext_lazy

from config.durable import Status
from notifications.announce import Occasion, Recipient, announce
from notifications.events import Event, create_templates
from notifications.models import MessageTemplate, Notification
from notifications.quiet import QUIET_HOURS
from notifications.tests.conftest import TOLD, Told

pytestmark = pytest.mark.django_db

LI = Recipient("salesman", "李梅", userid="li.mei", email="li.mei@example.com", phone="13800138000")
CUSTOMER = Recipient("customer", "华东机电", userid="wm1234", email="buyer@example.org", outside=True)
BOTH = ("wechat", "email", "sms")


def occasion(key: str = "1", *recipients: Recipient, number: str = "P-1", status: object = "shipped") -> Occasion:
    return Occasion(key, f"test:{key}", recipients or (LI,), {"number": number, "status": status})  # type: ignore[dict-item]


def test_a_row_for_every_person_and_channel_in_the_sites_language(templates) -> None:
    assert announce(TOLD, [occasion()], channels=BOTH) == {"1": 2}
    wecom, email = Notification.objects.order_by("-channel")
    assert (wecom.channel, wecom.address, wecom.body, wecom.subject) == ("wechat", "li.mei", "P-1 现为 shipped", "")
    assert (email.channel, email.address, email.subject) == ("email", "li.mei@example.com", "P-1")
    assert (wecom.status, wecom.role, wecom.recipient, wecom.about) == (Status.PENDING, "salesman", "李梅", "test:1")
    assert wecom.language == "zh-hans"


def test_a_recipient_is_told_in_their_own_language_lazy_facts_too(templates) -> None:
    english = Recipient("engineer", "Bob", userid="bob", language="en")
    announce(TOLD, [occasion("1", LI, english, status=gettext_lazy("Yes"))], channels=["wechat"])
    bodies = dict(Notification.objects.values_list("address", "body"))
    assert bodies == {"li.mei": "P-1 现为 是", "bob": "P-1 is Yes"}


def test_customers_are_never_told_by_wecom(templates) -> None:
    assert announce(TOLD, [occasion("1", CUSTOMER)], channels=BOTH) == {"1": 1}
    assert Notification.objects.get().channel == "email"


def test_whoever_has_no_address_is_passed_over(templates) -> None:
    assert announce(TOLD, [occasion("1", Recipient("engineer", "X", phone="1"))], channels=BOTH) == {"1": 0}
    assert announce(TOLD, [], channels=BOTH) == {}
    assert announce(TOLD, [occasion()], channels=[]) == {"1": 0}


def test_a_key_does_not_tell_the_address_to_who_guesses_it(templates) -> None:
    """Whoever tries all mobile numbers must need more than patience."""
    announce(TOLD, [occasion()], channels=["wechat"])
    assert hashlib.sha256(b"li.mei").hexdigest()[:24] not in Notification.objects.get().key


def test_an_address_that_is_too_long_stops_nobody_elses_message(templates) -> None:
    """Addresses come from libraries: one list of addresses in a field must not end a whole run."""
    crowd = Recipient("customer", "X", email="; ".join(f"buyer{number}@example.org" for number in range(20)))
    announce(TOLD, [occasion("1", crowd, LI)], channels=["email"])
    addresses = {row.recipient: row.address for row in Notification.objects.all()}
    assert addresses.pop("李梅") == "li.mei@example.com"
    assert len(addresses["X"]) == 254 and addresses["X"].endswith("…"), "no valid address"


def test_the_same_address_is_told_once_whoever_it_belongs_to(templates) -> None:
    twin = Recipient("engineer", "Li Mei", userid="LI.MEI")
    assert announce(TOLD, [occasion("1", LI, twin)], channels=["wechat"]) == {"1": 1}
    assert Notification.objects.get().role == "salesman"


def test_an_occasion_announced_again_tells_only_who_is_new(templates) -> None:
    announce(TOLD, [occasion()], channels=["wechat"])
    counts = announce(TOLD, [occasion(), occasion("2")], channels=["wechat", "email"])
    assert counts == {"1": 1, "2": 2}
    assert Notification.objects.count() == 4


def test_the_operators_words_are_used(templates) -> None:
    MessageTemplate.objects.filter(event=TOLD, channel="wechat", language="zh-hans").update(body="请看 {{ number }}")
    announce(TOLD, [occasion()], channels=["wechat"])
    assert Notification.objects.get().body == "请看 P-1"


def test_without_a_template_the_words_it_came_with_are_used(templates) -> None:
    MessageTemplate.objects.filter(event=TOLD).delete()
    announce(TOLD, [occasion("1", Recipient("x", "Bob", userid="bob", language="en"))], channels=["wechat"])
    assert Notification.objects.get().body == "P-1 is shipped"


def test_a_fact_cannot_end_the_subject_or_bring_a_placeholder(templates) -> None:
    announce(TOLD, [occasion(number="P\r\nBcc: all@example.com {{ status }}")], channels=["email"])
    assert Notification.objects.get().subject == "P Bcc: all@example.com {{ status }}"


def test_a_long_fact_leaves_room_for_the_rest(templates) -> None:
    announce(TOLD, [occasion(number="长" * 900)], channels=["wechat"])
    assert Notification.objects.get().body == "长" * 199 + "… 现为 shipped"


def test_parameters_for_the_sms_provider_keep_the_texts_order(templates) -> None:
    template = MessageTemplate.objects.get(event=TOLD, channel="wechat", language="zh-hans")
    template.body, template.sms_template = "{{ status }} {{ number }} {{ status }}", "SMS_1"
    template.save()
    announce(TOLD, [occasion()], channels=["wechat"])
    row = Notification.objects.get()
    assert (row.sms_template, row.sms_parameters) == ("SMS_1", [["status", "shipped"], ["number", "P-1"]])


def test_a_rollback_tells_nobody(templates) -> None:
    with transaction.atomic():
        announce(TOLD, [occasion()], channels=BOTH)
        transaction.set_rollback(True)
    assert not Notification.objects.exists()


def test_a_worker_is_woken_on_commit_only_when_there_is_something(
    templates, django_capture_on_commit_callbacks, monkeypatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr("config.durable.wake", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        announce(TOLD, [occasion()], channels=["wechat"])
        assert woken == []
    with django_capture_on_commit_callbacks(execute=True):
        announce(TOLD, [occasion()], channels=["wechat"])
    assert woken == ["notifications.deliver"]


def test_nothing_leaves_in_quiet_hours_and_it_says_so(templates, told: Told) -> None:
    announce(TOLD, [occasion("1")], channels=["wechat"])
    told.quiet_until = timezone.now() + timedelta(hours=3)
    announce(TOLD, [occasion("2")], channels=["wechat"])
    at_once, waits = Notification.objects.order_by("id")
    assert (at_once.next_attempt_at <= timezone.now(), at_once.last_error) == (True, "")
    assert (waits.next_attempt_at, waits.last_error) == (told.quiet_until, str(QUIET_HOURS))


@pytest.mark.parametrize("count", [1, 300])
def test_many_occasions_cost_a_handful_of_statements(templates, count: int) -> None:
    from django.db import connection

    with CaptureQueriesContext(connection) as captured:
        announce(TOLD, [occasion(str(number)) for number in range(count)], channels=["wechat"])
    inserts = [query for query in captured.captured_queries if query["sql"].startswith("INSERT")]
    assert len(captured) - len(inserts) <= 4
    assert len(inserts) <= (1 if connection.vendor == "postgresql" else 1 + count // 30)
    assert Notification.objects.count() == count


def test_a_mistake_of_the_caller_is_told_at_once(templates) -> None:
    with pytest.raises(KeyError):
        announce("no.such.event", [occasion()], channels=BOTH)
    with pytest.raises(ValueError, match="status"):
        announce(TOLD, [Occasion("1", "", (LI,), {"number": "P-1"})], channels=BOTH)
    with pytest.raises(ValueError, match="too long"):
        announce(TOLD, [occasion("x" * 100)], channels=BOTH)


def test_templates_are_made_once_and_never_overwritten(event: Event) -> None:
    create_templates()
    made = MessageTemplate.objects.filter(event=TOLD)
    assert {(row.channel, row.language) for row in made} == set(event.defaults)
    made.filter(channel="email").update(body="mine")
    made.filter(channel="wechat", language="en").delete()
    create_templates()
    assert made.filter(body="mine").count() == 2
    assert made.get(channel="wechat", language="en").body == "{{ number }} is {{ status }}"
