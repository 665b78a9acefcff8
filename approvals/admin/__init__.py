"""The admin of quotes and approvals, one module per subject."""

from approvals.admin import batches, instances, operations, quotes, rules

__all__ = ["batches", "instances", "operations", "quotes", "rules"]
