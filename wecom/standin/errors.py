"""How WeCom says no."""

from __future__ import annotations

import itertools
import secrets
import time

_numbers = itertools.count(1)


class ApiError(Exception):
    """A WeCom error: HTTP 200 with ``errcode`` and an English ``errmsg`` (doc 90313)."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(f"{errcode} {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg

    def message(self, client_ip: str) -> str:
        """The text in WeCom's shape, hint included; nobody should match on it."""
        hint = f"{int(time.time())}_{next(_numbers)}_{secrets.token_hex(16)}"
        page = f"https://open.work.weixin.qq.com/devtool/query?e={self.errcode}"
        return f"{self.errmsg}, hint: [{hint}], from ip: {client_ip}, more info at {page}"


def invalid_form(message: str) -> ApiError:
    """301025: the approval's data is wrong, empty, or does not match the template."""
    return ApiError(301025, f"invalid approval param, {message}")
