"""How drf-spectacular tells of the REST interface at ``/api/schema``."""

from __future__ import annotations

SPECTACULAR_SETTINGS = {
    "TITLE": "Quotebridge",
    "DESCRIPTION": "Quotations and their approval in WeCom; projects and who may look at them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/",
    "ENUM_NAME_OVERRIDES": {
        "QuoteStatus": "approvals.models.QuoteStatus",
        "ApprovalStatus": "approvals.models.InstanceStatus",
        "StepStatus": "approvals.models.StepStatus",
        "Flow": "approvals.models.Flow",
        "Channel": "approvals.models.Channel",
        "Outcome": "approvals.models.Outcome",
        "BatchAction": "approvals.models.BatchVerb",
        "BatchStatus": "approvals.api.batch_serializers.STATUSES",
        "BatchItemOutcome": "approvals.api.batch_serializers.OUTCOMES",
        "ProjectType": "projects.models.ProjectType",
        "ProjectStatus": "projects.models.ProjectStatus",
        "Role": "projects.models.Role",
        "RunStatus": "projects.models.RunStatus",
        "SyncType": "projects.models.SyncType",
        "AskedSyncType": "projects.api.sync_serializers.ASKED",
        "DirectoryType": "wecom.models.DirectoryType",
        "DirectoryRunStatus": "wecom.models.DirectoryRunStatus",
    },
}
