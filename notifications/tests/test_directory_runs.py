"""Runs of the directory that end badly become incidents, and end with a run that passes."""

from __future__ import annotations

import pytest

from notifications.models import Incident
from wecom.models import DirectorySyncRun, WeComConfig
from wecom.signals import directory_run_ended

pytestmark = pytest.mark.django_db


def end(sync_type: str, outcome: str) -> None:
    config, _created = WeComConfig.objects.get_or_create(
        slug="main", defaults={"name": "Main", "corp_id": "ww1", "agent_id": 1, "secret": "s"}
    )
    run = DirectorySyncRun(config=config, sync_type=sync_type, message="WeCom refused.")
    directory_run_ended.send(DirectorySyncRun, run=run, outcome=outcome)


def open_keys() -> set[str]:
    return set(Incident.objects.filter(resolved_at=None).values_list("key", flat=True))


@pytest.mark.parametrize(("outcome", "key"), [("failed", "directory-failed"), ("braked", "directory-brake")])
def test_a_run_that_ends_badly_is_an_incident_until_one_passes(outcome: str, key: str):
    end("user", outcome)
    assert open_keys() == {f"{key}:main:user"}
    assert Incident.objects.get().detail == "WeCom refused."
    end("department", "done")
    assert open_keys() == {f"{key}:main:user"}
    end("user", "done")
    assert open_keys() == set()


def test_a_full_run_that_passes_ends_them_all():
    end("user", "failed")
    end("customer", "braked")
    end("full", "done")
    assert open_keys() == set()


def test_a_partial_run_is_an_incident_of_its_own_and_ends_the_failure_before_it():
    end("full", "failed")
    end("full", "partial")
    assert open_keys() == {"directory-partial:main:customer"}
    end("user", "done")
    assert open_keys() == {"directory-partial:main:customer"}
    end("customer", "done")
    assert open_keys() == set()
