"""A call to WeCom in the name of one app: token, budget, exchange, and what the answer means.

Everything that speaks to WeCom goes through ``WeComClient.get`` and ``.post``; the modules beside this one
(``oa``, ``messages``, …) give the calls names and types.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wecom.budgets import Budget, Lane
from wecom.errors import QuotaError, TokenError, WeComError, describe, raise_for_answer
from wecom.member_rate import MemberRate
from wecom.models import WeComConfig
from wecom.tokens import TokenStore, app_key
from wecom.transport import exchange, log_call


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    endpoint: str
    params: Mapping[str, str]
    body: Mapping[str, Any] | None
    writes: bool
    lane: Lane


class WeComClient:
    """Calls in the name of ``config``. Cheap to make, safe for threads; connections and token are shared anyway.

    Every call raises RetryableError, OutcomeUnknown (only when it ``writes``), TokenError, QuotaError or
    PermanentError (``wecom.errors``).
    """

    def __init__(self, config: WeComConfig) -> None:
        self.config = config
        self.tokens = TokenStore(config)
        self.budget = Budget(app_key(config))
        self.member_rate = MemberRate(app_key(config))

    def get(self, path: str, params: Mapping[str, str] | None = None, *, lane: Lane = "decision") -> dict[str, Any]:
        """GET ``path`` (``getcallbackip``), with ``params`` beside the token."""
        return self._call(_Call("GET", path, params or {}, None, writes=False, lane=lane))

    def post(
        self, path: str, body: Mapping[str, Any], *, writes: bool = False, lane: Lane = "decision"
    ) -> dict[str, Any]:
        """POST ``body`` as JSON to ``path`` (``oa/applyevent``).

        ``writes``: the call changes something at WeCom, so a lost answer is OutcomeUnknown.
        """
        return self._call(_Call("POST", path, {}, body, writes=writes, lane=lane))

    def _call(self, call: _Call) -> dict[str, Any]:
        token = self.tokens.get()
        try:
            return self._once(call, token, final=False)
        except TokenError:
            self.tokens.drop(token)
        # A refused token means that nothing was done: one fresh token and one repetition, for writing calls as well.
        return self._once(call, self.tokens.get(), final=True)

    def _once(self, call: _Call, token: str, *, final: bool) -> dict[str, Any]:
        after_pause = self.budget.take(call.endpoint, call.lane)
        started = time.monotonic()
        try:
            params = {**call.params, "access_token": token}
            answer = exchange(call.method, call.endpoint, params=params, body=call.body, writes=call.writes)
            raise_for_answer(call.endpoint, answer, writes=call.writes, final=final, hide=token)
        except WeComError as error:
            log_call(call.endpoint, started, error)
            if isinstance(error, QuotaError) and error.retry_after:
                longer = describe(error.errcode or 0).pause_again
                error.retry_after = self.budget.pause(call.endpoint, error.retry_after, then=longer)
            raise
        log_call(call.endpoint, started)
        if after_pause:
            self.budget.reopen(call.endpoint)
        return answer


def for_config(config: WeComConfig) -> WeComClient:
    """The client of ``config``. Raises PermanentError when its secret cannot be opened."""
    return WeComClient(config)
