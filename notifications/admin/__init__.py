"""The pages of messages and troubles; each module registers its own."""

from notifications.admin import incidents  # noqa: F401 - registers itself
