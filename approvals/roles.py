"""The roles of the house as groups of permissions. Created once, by migration; afterwards they are the operator's."""

from __future__ import annotations

from typing import Any

from config.roles import find

_ALL = ("add", "change", "delete", "view")


def _rights(app: str, model: str, *actions: str) -> list[str]:
    return [f"{app}.{action}_{model}" for action in actions or _ALL]


def _see(app: str, *models: str) -> list[str]:
    return [f"{app}.view_{model}" for model in models]


_APPROVAL_PAGES = _see("approvals", "quote", "quoteitem", "approvalinstance", "approvalstep", "approvaltimeline")
_SETUP_PAGES = _see("approvals", "approvalrule", "approvaltemplate")
_TRAFFIC_PAGES = [
    *_see("approvals", "syncoperation"),
    *_see("wecom", "callbackevent", "refusedcallback"),
    *_see("notifications", "incident"),
]
_BEAT_MODELS = ("periodictask", "intervalschedule", "crontabschedule")

ROLES: dict[str, list[str]] = {
    # makes quotes and submits them; sees their own
    "sales": [
        *_APPROVAL_PAGES,
        *_rights("approvals", "quote"),
        *_rights("approvals", "quoteitem"),
        "approvals.submit_quote",
        "approvals.sync_approval",
    ],
    # decides where they are an approver; sees those
    "approver": [*_APPROVAL_PAGES, "approvals.decide_approval", "approvals.sync_approval"],
    # connects WeCom, keeps the traffic going, settles conflicts; decides nothing
    "integration_admin": [
        *_APPROVAL_PAGES,
        *_TRAFFIC_PAGES,
        *_rights("approvals", "approvalrule"),
        *_rights("approvals", "approvaltemplate"),
        *_rights("wecom", "wecomconfig"),
        *_rights("wecom", "member"),
        "approvals.change_syncoperation",
        "wecom.change_callbackevent",
        "notifications.change_incident",
        "approvals.view_all_quotes",
        "approvals.sync_approval",
        "approvals.close_conflict",
        *[right for model in _BEAT_MODELS for right in _rights("django_celery_beat", model)],
    ],
    # sees everything, changes nothing
    "auditor": [
        *_APPROVAL_PAGES,
        *_SETUP_PAGES,
        *_TRAFFIC_PAGES,
        *_see("wecom", "wecomconfig", "member"),
        *_see("django_celery_beat", *_BEAT_MODELS),
        *_see("admin", "logentry"),
        "approvals.view_all_quotes",
    ],
}

LATER_PAGES: dict[str, list[str]] = {
    # what came with the pages of cards and batches, for everybody who sees approvals; handed out by a migration
    name: _see("approvals", "approvalcard", "batch", "batchitem")
    for name in ROLES
}


def create_roles(groups: Any, permissions: Any) -> list[str]:
    """Create the groups that do not exist, with their rights; an existing group is never touched.

    ``groups``, ``permissions``: the managers of Group and Permission, which in a migration are historical. Returns the
    names of the created groups. Raises LookupError for a right that does not exist.
    """
    created = []
    for name, rights in ROLES.items():
        group, is_new = groups.get_or_create(name=name)
        if is_new:
            group.permissions.set(find(permissions, rights))
            created.append(name)
    return created
