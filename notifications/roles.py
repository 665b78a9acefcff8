"""What the roles of the house may do with messages and alerts. Handed out once, by migration; afterwards it is the
operator's."""

from __future__ import annotations

_PAGES = [f"notifications.view_{model}" for model in ("messagetemplate", "notification", "alertaddress", "alertrule")]

RIGHTS: dict[str, list[str]] = {
    # writes the words, sends again what failed, says who is alerted
    "integration_admin": [
        *_PAGES,
        "notifications.change_messagetemplate",
        "notifications.change_notification",
        "notifications.change_alertrule",
        *[f"notifications.{action}_alertaddress" for action in ("add", "change", "delete")],
    ],
    # sees everything, changes nothing
    "auditor": _PAGES,
}
