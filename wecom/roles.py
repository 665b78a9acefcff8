"""What the roles of the house may do with the directory. Handed out once, by migration; afterwards it is the
operator's."""

from __future__ import annotations

_PAGES = [
    f"wecom.view_{model}"
    for model in (
        "department",
        "externalcontact",
        "follower",
        "taggroup",
        "tag",
        "directorysyncrun",
        "capabilityresult",
    )
]

RIGHTS: dict[str, list[str]] = {
    # keeps the directory current
    "integration_admin": [*_PAGES, "wecom.sync_directory", "wecom.view_customer_phone"],
    # sees everything but phone numbers, changes nothing
    "auditor": _PAGES,
}

REFRESH_RIGHTS: dict[str, list[str]] = {
    "integration_admin": ["wecom.view_contactrefresh", "wecom.change_contactrefresh"],
    "auditor": ["wecom.view_contactrefresh"],
}
"""The queue of what callbacks spoke of: to be looked at, and retried."""
