"""What SMS providers answer, sorted into what becomes of the message; one table per provider, closed by default.

A code that a table does not know is a refusal for good: repeating costs money, and a person can press "Retry".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.durable import NotYet, PermanentFailure, TemporaryFailure
from config.outbound import PLACEHOLDER  # noqa: F401
