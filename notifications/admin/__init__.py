"""The pages of messages and troubles; each module registers its own."""

from notifications.admin import alerts, incidents, messages, templates  # noqa: F401 - they register themselves
