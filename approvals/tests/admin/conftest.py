"""The admin as people use it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from approvals.tests.traffic.conftest import standin, template
from config.testing.admin_browser import Browser, logged_in

__all__ = ["Browser", "standin", "template"]


@pytest.fixture
def log_in() -> Callable[..., Browser]:
    return logged_in
