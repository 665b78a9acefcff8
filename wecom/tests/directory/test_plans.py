"""The set statements look rows up by an index: a join row by row would take minutes for a large company."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from wecom.models import WeComConfig
from wecom.tests.directory.company import ROOT, Company
from wecom.tests.directory.conftest import synchronise

pytestmark = pytest.mark.django_db


def test_members_are_found_by_their_folded_userid(company: Company, saved_app: WeComConfig) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by its statistics")
    plans: dict[str, list[str]] = {}

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not many and re.match("(INSERT|UPDATE|DELETE).* wecom_laid_", sql):
            cursor = context["cursor"].cursor
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            plans[sql[:40]] = [row[3] for row in cursor.fetchall()]
        return execute(sql, params, many, context)

    company.department(2)
    company.have(3, ROOT, 2)
    synchronise(saved_app)
    for told in company.members.values():
        told["position"] = "neu"
    company.departments[2]["name"] = "neu"
    company.have(2)
    with connection.execute_wrapper(explain):
        synchronise(saved_app)
    assert len(plans) >= 5
    for plan in plans.values():
        assert not [step for step in plan if "(config_id=?)" in step], plans
        assert {step for step in plan if step.startswith("SCAN")} <= {"SCAN s"}, plans
