"""The admin of quotes and approvals, one module per subject."""

from approvals.admin import batches, cards, instances, operations, quotes, rules

__all__ = ["batches", "cards", "instances", "operations", "quotes", "rules"]
