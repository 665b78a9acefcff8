"""The admin of quotes and approvals, one module per subject."""

from approvals.admin import instances, operations, quotes, rules

__all__ = ["instances", "operations", "quotes", "rules"]
