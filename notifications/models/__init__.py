"""What is told to whom: messages and their templates; troubles, and who is alerted about them."""

from notifications.models.alerts import AlertAddress, AlertRule, AlertRuleKind
from notifications.models.incidents import Incident
from notifications.models.messages import ChannelKind, MessageTemplate, Notification

__all__ = [
    "AlertAddress",
    "AlertRule",
    "AlertRuleKind",
    "ChannelKind",
    "Incident",
    "MessageTemplate",
    "Notification",
]
