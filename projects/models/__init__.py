"""The mirror of the remote libraries, its runs, and who may look at it.

Rows of the mirror are written by ``projects.sync`` and ``projects.refresh`` only; people never edit them.
"""

from projects.models.access import AccessOutcome, ProjectAccessLog, ProjectAccessToken
from projects.models.cache import ProjectCache
from projects.models.config import ProjectSyncConfig, TimeDisplayConfig
from projects.models.kinds import ProjectStatus, ProjectType, Role
from projects.models.source import RemoteSource
from projects.models.sync import ProjectStatusChange, ProjectSyncHistory, RunStatus, SyncType

__all__ = [
    "AccessOutcome",
    "ProjectAccessLog",
    "ProjectAccessToken",
    "ProjectCache",
    "ProjectStatus",
    "ProjectStatusChange",
    "ProjectSyncConfig",
    "ProjectSyncHistory",
    "ProjectType",
    "RemoteSource",
    "Role",
    "RunStatus",
    "SyncType",
    "TimeDisplayConfig",
]
