"""``reconcile_approvals`` as an operator runs it."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from approvals import operations
from approvals.models import ApprovalInstance
from approvals.reconcile import LOCK
from wecom.redis import redis

from .conftest import Standin

pytestmark = pytest.mark.django_db


@pytest.fixture
def changed(standin: Standin, submitted) -> ApprovalInstance:
    """An approval whose rejection in WeCom was never heard of here."""
    instance = submitted()
    operations.run_due()
    instance.refresh_from_db()
    standin.act(instance.sp_no, "reject", event=False)
    return instance


def run(*arguments: str) -> str:
    out = io.StringIO()
    with translation.override("en"):
        call_command("reconcile_approvals", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_all(changed):
    assert "1 updated" in run()
    changed.refresh_from_db()
    assert changed.status == "rejected"


def test_some(changed):
    assert "1 compared" in run("--ids", str(changed.pk))


def test_unknown_ids_are_refused_before_anything_is_asked(standin, changed):
    calls = standin.calls("oa/getapprovaldetail")
    with pytest.raises(CommandError, match="424242"):
        run("--ids", str(changed.pk), "424242")
    assert standin.calls("oa/getapprovaldetail") == calls


def test_a_failure_of_wecom_is_an_exit_status(standin, changed):
    standin.fault("errcode", "oa/getapprovalinfo", errcode=48002)
    with pytest.raises(CommandError):
        run()


def test_a_run_that_is_under_way_is_said(changed):
    redis().set(LOCK, "somebody else", ex=60)
    with pytest.raises(CommandError):
        run()
