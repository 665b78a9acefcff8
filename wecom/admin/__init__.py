"""WeCom in the admin, one module per subject."""

from wecom.admin import callbacks, configs, members

__all__ = ["callbacks", "configs", "members"]
