"""WeCom in the admin, one module per subject."""

from wecom.admin import callbacks, cards, configs, customers, directory, members, refreshes, runs

__all__ = ["callbacks", "cards", "configs", "customers", "directory", "members", "refreshes", "runs"]
