from __future__ import annotations

from django.urls import path

from wecom.api.configs import ConfigsView, ConfigView, ConnectionTestView
from wecom.api.sync_views import (
    SyncCustomersView,
    SyncDepartmentsView,
    SyncLogsView,
    SyncLogView,
    SyncStatusView,
    SyncUsersView,
    SyncView,
)

urlpatterns = [
    path("config", ConfigsView.as_view(), name="wework-configs"),
    path("config/test", ConnectionTestView.as_view(), name="wework-config-test"),
    path("config/<int:id>", ConfigView.as_view(), name="wework-config"),
    path("sync", SyncView.as_view(), name="wework-sync"),
    path("sync/departments", SyncDepartmentsView.as_view(), name="wework-sync-departments"),
    path("sync/users", SyncUsersView.as_view(), name="wework-sync-users"),
    path("sync/customers", SyncCustomersView.as_view(), name="wework-sync-customers"),
    path("sync/logs", SyncLogsView.as_view(), name="wework-sync-logs"),
    path("sync/logs/<int:log_id>", SyncLogView.as_view(), name="wework-sync-log"),
    path("sync/status", SyncStatusView.as_view(), name="wework-sync-status"),
]
