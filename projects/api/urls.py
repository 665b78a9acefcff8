from __future__ import annotations

from django.urls import path

from projects.api import project_views
from projects.api.config_views import SyncConfigView, TimeDisplayView
from projects.api.link_views import LinksView, RevokeLinkView
from projects.api.sync_views import SyncHistoryView, SyncRunView, SyncStatisticsView, SyncView

urlpatterns = [
    path("config/project-sync", SyncConfigView.as_view(), name="project-sync-config"),
    path("config/time-display", TimeDisplayView.as_view(), name="time-display-config"),
    # before {id}: these words are no projects
    path("projects/sync", SyncView.as_view(), name="project-sync"),
    path("projects/sync/<int:run_id>", SyncRunView.as_view(), name="project-sync-run"),
    path("projects/sync-history", SyncHistoryView.as_view(), name="project-sync-history"),
    path("projects/sync-statistics", SyncStatisticsView.as_view(), name="project-sync-statistics"),
    path("projects/<str:id>/links", LinksView.as_view(), name="project-links"),
    path("projects/<str:id>/links/<int:link_id>/revoke", RevokeLinkView.as_view(), name="project-link-revoke"),
    *project_views.urlpatterns,
]
