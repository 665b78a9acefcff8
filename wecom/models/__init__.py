"""What the WeCom side keeps: apps and their secrets, the inbox, who is who, customers, and the runs that read them."""

from wecom.models.callbacks import CallbackEvent, RefusedCallback
from wecom.models.configs import Capability, CapabilityResult, KeyCanary, WeComConfig
from wecom.models.customers import ExternalContact, Follower, Tag, TagGroup
from wecom.models.directory_runs import (
    DIRECTORY_APPLIED,
    DIRECTORY_PARTS,
    DirectoryRunStatus,
    DirectorySyncRun,
    DirectoryType,
)
from wecom.models.members import Department, Member, MemberDepartment, Origin
from wecom.models.refreshes import ContactRefresh, RefreshKind

__all__ = [
    "DIRECTORY_APPLIED",
    "DIRECTORY_PARTS",
    "CallbackEvent",
    "Capability",
    "CapabilityResult",
    "ContactRefresh",
    "Department",
    "DirectoryRunStatus",
    "DirectorySyncRun",
    "DirectoryType",
    "ExternalContact",
    "Follower",
    "KeyCanary",
    "Member",
    "MemberDepartment",
    "Origin",
    "RefreshKind",
    "RefusedCallback",
    "Tag",
    "TagGroup",
    "WeComConfig",
]
