"""The words of messages in the admin: checked, previewed on real data, restored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext_lazy

from notifications.admin.templates import LONGEST_TYPED
from notifications.models import MessageTemplate
from notifications.tests.conftest import TOLD, Told

pytestmark = pytest.mark.django_db
LIST = "/admin/notifications/messagetemplate/"
EDITOR = ("view_messagetemplate", "change_messagetemplate")
Login = Callable[..., Client]


@pytest.fixture
def wecom(templates: list[MessageTemplate]) -> MessageTemplate:
    return MessageTemplate.objects.get(event=TOLD, channel="wechat", language="en")


@pytest.fixture
def email(templates: list[MessageTemplate]) -> MessageTemplate:
    return MessageTemplate.objects.get(event=TOLD, channel="email", language="en")


def page(template: MessageTemplate, name: str = "change") -> str:
    return f"{LIST}{template.pk}/{name}/"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_they_are_listed_and_filtered_and_read(wecom: MessageTemplate, log_in: Login, language: str) -> None:
    reader = log_in("view_messagetemplate", language=language)
    listed = reader.get(LIST, {"event": TOLD, "channel__exact": "wechat"})
    assert {row.language for row in listed.context["cl"].result_list} == {"en", "zh-hans"}
    shown = reader.get(page(wecom)).content.decode()
    assert "{{ status }}" in shown and "the new state" in shown
    assert 'name="body"' not in shown
    assert log_in("view_logentry").get(LIST).status_code == 403


def test_a_text_is_saved(email: MessageTemplate, log_in: Login) -> None:
    posted = {"subject": "News of {{ number }}", "body": "It is {{ status }} now.", "_save": "1"}
    assert log_in(*EDITOR).post(page(email), posted).status_code == 302
    email.refresh_from_db()
    assert (email.subject, email.body) == (posted["subject"], posted["body"])


def test_an_unknown_variable_is_refused_with_its_place(email: MessageTemplate, log_in: Login) -> None:
    client = log_in(*EDITOR)
    answer = client.post(page(email), {"subject": "{{ number", "body": "Dear all,\nit is {{ statsu }}.", "_save": "1"})
    shown = answer.content.decode()
    assert "Line 2, column 10" in shown and "statsu" in shown and "Did you mean “status”?" in shown
    assert "Line 1, column 1" in shown
    email.refresh_from_db()
    assert "statsu" not in email.body


def test_the_model_itself_refuses_it_too(wecom: MessageTemplate) -> None:
    wecom.body = "{{ a.b }} {% now"
    with pytest.raises(ValidationError) as caught:
        wecom.full_clean()
    assert len(caught.value.message_dict["body"]) == 2
    wecom.body, wecom.event = "x", "no.such.event"
    with translation.override("en"), pytest.raises(ValidationError, match="no such event"):
        wecom.full_clean()


def preview(client: Client, template: MessageTemplate, **typed: str) -> dict[str, Any]:
    answer = client.post(page(template, "preview"), typed)
    assert answer.status_code == 200
    return dict(answer.json())


def test_the_preview_uses_what_has_really_happened(email: MessageTemplate, told: Told, log_in: Login) -> None:
    client = log_in("view_messagetemplate", language="zh-hans")
    samples = preview(client, email, subject="{{ number }}", body="{{ status }}")
    assert (samples["subject"], samples["body"], samples["real"]) == ("P-1001", "shipped", False)
    told.facts = {"number": "P-7", "status": gettext_lazy("Yes")}  # type: ignore[dict-item]
    real = preview(client, email, subject="{{ number }}", body="{{ status }}")
    assert (real["subject"], real["body"], real["real"]) == ("P-7", "Yes", True)  # in the template's language


def test_the_preview_tells_size_and_problems_and_shows_the_rest(wecom: MessageTemplate, log_in: Login) -> None:
    client = log_in("view_messagetemplate")
    answer = preview(client, wecom, body="价{{ number }} {{ nothing }}")
    assert answer["body"] == "价P-1001"
    assert answer["size"] == "9 of 2048 bytes"
    assert "nothing" in answer["problems"][0]
    assert "2048" in preview(client, wecom, body="价" * 1000)["size"]


def test_the_preview_runs_nothing_and_survives_anything(wecom: MessageTemplate, log_in: Login) -> None:
    client = log_in("view_messagetemplate")
    hostile = "{{ number.__class__ }} {% include 'x' %} <script>alert(1)</script>"
    assert preview(client, wecom, body=hostile)["body"] == hostile
    assert len(preview(client, wecom, body="{{" * 100_000)["body"]) <= LONGEST_TYPED
    shown = client.get(page(wecom)).content.decode()
    assert "<script>alert" not in shown


def test_the_preview_is_for_people_who_may_read_it_and_acts_on_post_alone(
    wecom: MessageTemplate, log_in: Login
) -> None:
    assert log_in("view_incident").post(page(wecom, "preview")).status_code == 403
    assert log_in(*EDITOR).get(page(wecom, "preview")).status_code == 405
    assert Client().post(page(wecom, "preview")).status_code == 302
    strict = log_in(*EDITOR, enforce_csrf_checks=True)
    assert strict.post(page(wecom, "preview"), {"body": "x"}).status_code == 403
    assert log_in(*EDITOR).post(f"{LIST}999999/preview/").status_code == 404


def test_the_original_words_can_be_had_back(wecom: MessageTemplate, log_in: Login) -> None:
    client = log_in(*EDITOR)
    assert "restore" not in client.get(page(wecom)).content.decode()
    MessageTemplate.objects.filter(pk=wecom.pk).update(body="mine")
    assert f"{wecom.pk}/restore/" in client.get(page(wecom)).content.decode()
    client.post(page(wecom, "restore"))
    wecom.refresh_from_db()
    assert wecom.body == "{{ number }} is {{ status }}"
    assert log_in("view_messagetemplate").post(page(wecom, "restore")).status_code == 403


def test_none_is_added_or_deleted_by_hand(wecom: MessageTemplate, log_in: Login) -> None:
    client = log_in(superuser=True)
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(page(wecom, "delete"), {"post": "yes"}).status_code == 403


def test_words_of_an_event_that_is_gone_are_not_shown(wecom: MessageTemplate, log_in: Login) -> None:
    MessageTemplate.objects.filter(pk=wecom.pk).update(event="gone.event")
    client = log_in(*EDITOR)
    assert "gone.event" not in client.get(LIST).content.decode()
    assert client.post(page(wecom, "preview")).status_code == 404


def test_the_list_costs_the_same_however_long_it_is(templates, log_in: Login, django_assert_max_num_queries) -> None:
    client = log_in("view_messagetemplate")
    client.get(LIST)
    with django_assert_max_num_queries(8):
        client.get(LIST)
