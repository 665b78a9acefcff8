"""How the last synchronisation of each source ended, as /metrics tells it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from config.testing.metrics import looked_up, series
from projects.metrics import runs
from projects.models import ProjectSyncHistory, RemoteSource
from projects.tests.sync.conftest import synchronise
from projects.tests.sync.peer import PeerLibrary, project
from wecom.tests.peers import refused_url


@pytest.mark.django_db(transaction=True)
def test_the_last_run_and_the_last_success_of_a_source_are_told(
    source: RemoteSource, library: PeerLibrary, django_assert_num_queries
):
    library.have(*(project(number) for number in range(4)))
    synchronise(source)
    earlier = timezone.now() - timedelta(hours=3)
    first = ProjectSyncHistory.objects.get()
    ProjectSyncHistory.objects.update(
        created_at=earlier, started_at=earlier, finished_at=earlier + timedelta(seconds=40)
    )
    source.base_url = refused_url()
    source.save()
    synchronise(source)
    ProjectSyncHistory.objects.create(source=source)  # one that waits has not ended
    with django_assert_num_queries(2):
        families = looked_up(runs.read)
    label, now = source.slug, time.time()
    assert series(families, "quotebridge_project_sync_ended_timestamp_seconds").keys() == {(label, "failed")}
    succeeded = series(families, "quotebridge_project_sync_succeeded_timestamp_seconds")[(label,)]
    assert 3 * 3600 - 60 < now - succeeded < 3 * 3600 + 60
    assert families["quotebridge_project_sync_rows"].samples[0].labels["source"] == label
    ProjectSyncHistory.objects.exclude(pk=first.pk).delete()
    families = looked_up(runs.read)
    assert series(families, "quotebridge_project_sync_seconds") == {(label,): 40}
    assert series(families, "quotebridge_project_sync_rows")[("seen", label)] == 4
