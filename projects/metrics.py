"""What ``/metrics`` tells of the mirror: how the last synchronisation of each source ended."""

from __future__ import annotations

from config.metrics import register_source
from config.metrics_runs import Runs
from projects.models import ProjectSyncHistory, RemoteSource

runs = Runs(
    "project_sync",
    owner="source",
    label="source",
    owners=RemoteSource.objects.filter(enabled=True),
    runs=ProjectSyncHistory.objects.all(),
    rows={
        "seen": "total_projects",
        "created": "created_count",
        "written": "updated_count",
        "unchanged": "unchanged_count",
        "failed": "failed_count",
        "removed": "removed_count",
    },
)

register_source("projects.runs", runs.read, lane="database")
