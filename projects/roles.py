"""What the roles of the house may do with projects. Handed out once, by migration; afterwards it is the operator's."""

from __future__ import annotations

_READ = ["projects.view_projectcache", "projects.view_projectstatuschange"]
_SETTINGS = ["projectsyncconfig", "timedisplayconfig"]
_PAGES = [
    *_READ,
    "projects.view_remotesource",
    "projects.view_projectsynchistory",
    "projects.view_projectaccesstoken",
    "projects.view_projectaccesslog",
    *[f"projects.view_{model}" for model in _SETTINGS],
]

RIGHTS: dict[str, list[str]] = {
    # looks things up, and lets customers look
    "sales": [*_READ, "projects.issue_links", "projects.view_projectaccesstoken"],
    "approver": _READ,
    # keeps the mirror going
    "integration_admin": [
        *_PAGES,
        *[f"projects.{action}_remotesource" for action in ("add", "change", "delete")],
        *[f"projects.change_{model}" for model in _SETTINGS],
        "projects.sync_remotesource",
        "projects.issue_links",
        "projects.view_phone",
    ],
    # sees everything but phone numbers, changes nothing
    "auditor": _PAGES,
}
