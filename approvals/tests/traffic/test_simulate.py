"""Pressing the stand-in's buttons from here."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from approvals import operations, simulate
from approvals.exceptions import InvalidInput, WrongState
from approvals.models import ApprovalInstance
from approvals.reconcile import reconcile
from wecom.tests.peers import refused_url

from .conftest import Standin

pytestmark = pytest.mark.django_db


@pytest.fixture
def pending(standin: Standin, submitted) -> ApprovalInstance:
    """An approval that the template's flow (two nodes) decides at WeCom."""
    instance = submitted()
    operations.run_due()
    instance.refresh_from_db()
    return instance


@pytest.mark.parametrize("action", ["approved", "rejected", "cancelled"])
def test_the_approval_comes_to_the_wanted_end(standin, pending, action):
    simulate.simulate(quote_number=pending.quote.quote_number, action=action)
    assert standin.approvals()[0]["status"] == action
    reconcile()
    pending.refresh_from_db()
    assert pending.status == action


def test_the_command_says_what_it_did(standin, pending):
    out = io.StringIO()
    call_command("simulate_approval", pending.quote.quote_number, "approved", stdout=out)
    assert pending.sp_no in out.getvalue()


def test_an_engine_approval_is_found_by_our_number(standin, submitted):
    instance = submitted(flow="wecom_engine")
    standin.post("engine/start", third_no=instance.third_no, userid="li.mei", approvers=["wang.boss"])
    simulate.simulate(quote_number=instance.quote.quote_number, action="approved")
    assert standin.approvals()[0]["status"] == "approved"


def test_an_approval_on_its_way_is_a_conflict_not_an_error_of_the_standin(standin, submitted):
    instance = submitted()
    with pytest.raises(WrongState) as caught:
        simulate.simulate(quote_number=instance.quote.quote_number, action="approved")
    assert (caught.value.code, caught.value.current["status"]) == ("not_in_wecom_yet", "submitting")


def test_a_quote_that_nobody_submitted(standin, quote):
    with pytest.raises(WrongState):
        simulate.simulate(quote_number=quote.quote_number, action="approved")


@pytest.mark.parametrize(
    ("number", "action", "field"), [("CIS-1", "approved", "quote_number"), ("", "agree", "action")]
)
def test_wrong_input_names_its_field(standin, number, action, field):
    with pytest.raises(InvalidInput) as caught:
        simulate.simulate(quote_number=number, action=action)
    assert list(caught.value.errors) == [field]


def test_what_the_standin_refuses_is_told(standin, pending):
    standin.act(pending.sp_no, "withdraw", event=False)
    with pytest.raises(simulate.StandinFailed, match="cannot"):
        simulate.simulate(quote_number=pending.quote.quote_number, action="rejected")


def test_a_standin_that_is_away(standin, pending, settings: Settings):
    settings.WECOM_STANDIN_URL = refused_url()
    with pytest.raises(simulate.StandinFailed):
        simulate.simulate(quote_number=pending.quote.quote_number, action="approved")


def test_with_the_real_wecom_there_is_no_such_thing(quote, settings: Settings):
    settings.WECOM_STANDIN_URL = ""
    with pytest.raises(CommandError, match="WECOM_STANDIN_URL"):
        call_command("simulate_approval", quote.quote_number, "approved")
