"""``seed_demo``: every state, made by what really happens, and quick when there is nothing to do."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from approvals import demo
from approvals.batches import tally
from approvals.cards.faces import AGREE
from approvals.management.commands.seed_demo import WORDS_OF_ROLES
from approvals.models import ApprovalInstance, ApprovalRule, Batch, InstanceStatus, Quote
from approvals.reconcile import reconcile
from wecom.models import ExternalContact, Member, WeComConfig
from wecom.standin import company, customers
from wecom.tests.peers import refused_url

from .conftest import Standin

pytestmark = pytest.mark.django_db


@pytest.fixture
def standin(standin: Standin, wecom_app: WeComConfig) -> Standin:
    """As the demo runs it: with a callback address, at which the web server may not answer yet, customers, and an
    engine."""
    standin.post("settings", callback_url=refused_url())
    customers.seed(standin.server.world)
    wecom_app.engine_template_id = "TplQuoteEngine"
    wecom_app.save()
    return standin


def seed() -> str:
    out = io.StringIO()
    call_command("seed_demo", stdout=out, stderr=out)
    return out.getvalue()


def test_quotes_in_every_state_and_people_of_every_role(standin: Standin):
    printed = seed()
    states = set(Quote.objects.values_list("approval_status", flat=True))
    assert states == set(InstanceStatus)
    assert ApprovalInstance.objects.filter(remote_pending=True).exists()
    assert ApprovalInstance.objects.filter(conflict=True).exists()
    assert Quote.objects.filter(revision=2).exists()
    for person in demo.PEOPLE:
        assert person.username in printed
        assert str(WORDS_OF_ROLES[person.role]) in printed
        user = User.objects.get(username=person.username)
        assert user.check_password(demo.PASSWORD)
        assert user.is_superuser == (not person.role)
    assert demo.PASSWORD in printed
    assert "integration_admin" not in printed


def test_cards_wait_on_phones_a_batch_is_done_and_customers_are_there(standin: Standin):
    seed()
    card_of = {
        (card["userid"], card["shown"]["main_title"]["title"].split(maxsplit=1)[1]): card["keys"]
        for card in reversed(standin.get("cards")["cards"])
        if card["shown"]
    }
    waiting = {title for (userid, title), keys in card_of.items() if userid == "zhao.vp" and keys}
    assert waiting == {"Export valves", "Spare parts kit", "Desalination skid"}
    assert card_of["finance01", "Pump station"] == [AGREE]
    assert card_of["wang.boss", "Booster set"] == []
    assert all(instance.rule for instance in ApprovalInstance.objects.filter(snapshot__currency="USD"))
    assert ApprovalRule.objects.filter(remind_after__gt=0, escalate_after__gt=0).exclude(escalate_to="").exists()
    [batch] = Batch.objects.all()
    assert (tally(batch).done, tally(batch).refused, batch.finished_at is None) == (2, 1, False)
    assert ExternalContact.objects.count() == 3
    assert [text for text in standin.texts("li.mei") if "/start" in text]


def test_everything_open_is_known_to_wecom(standin: Standin):
    seed()
    before = list(ApprovalInstance.objects.values_list("status", "remote_status", "conflict"))
    report = reconcile()
    assert (report.errors, report.applied) == ([], 0)
    assert list(ApprovalInstance.objects.values_list("status", "remote_status", "conflict")) == before


def test_a_second_time_changes_nothing_and_asks_little(standin: Standin, django_assert_max_num_queries):
    seed()
    ApprovalRule.objects.filter(currency="USD").delete()  # an operator's edit stays
    counts = [model.objects.count() for model in (User, Member, Quote, ApprovalRule)]
    calls = standin.get("stats")["calls"]
    with django_assert_max_num_queries(15):
        seed()
    assert [model.objects.count() for model in (User, Member, Quote, ApprovalRule)] == counts
    assert standin.get("stats")["calls"] == calls


def test_its_people_are_those_of_the_standins_company(standin: Standin):
    seed()
    assert {member.userid: member.name for member in Member.objects.all()}.items() <= {
        member.userid: member.name for member in company.MEMBERS
    }.items()


def test_without_wecom_the_rest_is_there_and_what_is_missing_is_said(standin: Standin, settings: Settings):
    settings.WECOM_API_BASE_URL = settings.WECOM_STANDIN_URL = refused_url()
    assert "企业微信" in seed()
    assert Quote.objects.filter(approval_status="approved").exists()


def test_it_refuses_where_the_real_wecom_is_in_use(wecom_app, settings: Settings):
    settings.WECOM_STANDIN_URL = ""
    with pytest.raises(CommandError, match="WECOM_STANDIN_URL"):
        call_command("seed_demo")
    assert not User.objects.exists()
