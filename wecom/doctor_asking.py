"""How the doctor asks WeCom: several questions at once, with little patience, and in words for the person who waits.

What takes longer than TOO_SLOW is trouble even if it is answered: a log-in, a callback and a page wait behind it. So
nobody waits much longer than that, and a WeCom that hangs costs the doctor seconds, not minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from config.doctor import Result, failed, passed
from wecom.configs import default_config, enabled_apps
from wecom.errcodes import Family, Text
from wecom.errors import PermanentError, WeComError, describe
from wecom.findings import Words
from wecom.models import WeComConfig
from wecom.transport import patience

PATIENCE = 4.0
"""Seconds for one answer."""
TOO_SLOW = 2.0
"""Seconds. WeCom answers in a tenth of that."""
ALL_TOGETHER = 12.0
"""Seconds for all questions of one check; who has not been answered by then is not waited for."""
AT_ONCE = 8
MOST_SAID = 3
"""Different troubles in one line."""


@dataclass(frozen=True, slots=True)
class Question:
    """``about``: what a person calls it; empty where the check asks each app one thing only. ``ask`` runs in a thread
    of its own: it must not touch the database. It may raise WeComError."""

    app: WeComConfig
    about: Text
    ask: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """``seconds`` None: there was none in time."""

    question: Question
    value: Any = None
    error: WeComError | None = None
    seconds: float | None = None


def apps_to_ask() -> list[WeComConfig]:
    """The enabled ones, the default app first; it is made from the settings where there is none at all."""
    default_config()
    return list(enabled_apps())


def no_app() -> Result:
    return failed(
        _("No WeCom app is set up."),
        _("Add one under “WeCom apps” in admin, or set WECOM_CORP_ID, WECOM_AGENT_ID and WECOM_SECRET."),
    )


def put(questions: Sequence[Question]) -> list[Answer]:
    """The answers, in the order of the questions."""
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="doctor")
    with patience(PATIENCE):
        asked = [(question, pool.submit(copy_context().run, _answer, question)) for question in questions]
    done = wait([future for _question, future in asked], timeout=ALL_TOGETHER).done
    pool.shutdown(wait=False, cancel_futures=True)
    return [future.result() if future in done else Answer(question) for question, future in asked]


def _answer(question: Question) -> Answer:
    started = time.monotonic()
    try:
        value = question.ask()
    except WeComError as error:
        return Answer(question, error=error, seconds=time.monotonic() - started)
    return Answer(question, value, seconds=time.monotonic() - started)


def trouble(answer: Answer) -> Words | None:
    """What is wrong with the call itself, or with the time it took; None: nothing."""
    if answer.error is not None:
        return words_of(answer.error)
    if answer.seconds is None or answer.seconds > TOO_SLOW:
        return Words(
            _("WeCom took longer than %(seconds)d s to answer.") % {"seconds": TOO_SLOW},
            _("Look for what is slow between this server and WeCom: name resolution, proxy, firewall, line."),
        )
    return None


def words_of(error: WeComError) -> Words:
    remedy = str(error.remedy) if isinstance(error, PermanentError) else passing_remedy(error.errcode)
    return Words(str(error.sentence), remedy)


def passing_remedy(errcode: int | None) -> str:
    """For what the system repeats by itself: what a person can do if it does not pass."""
    if errcode is None:
        return _("Check WECOM_API_BASE_URL, the proxy and the firewall. What failed meanwhile is repeated by itself.")
    if describe(errcode).family is Family.QUOTA:
        return _(
            "Wait until the pause is over (“Quota” in admin); if it comes back often, lower WECOM_CALLS_PER_MINUTE."
        )
    return _(
        "The trouble is WeCom's own. What failed meanwhile is repeated by itself; run the doctor again in a while."
    )


class Trouble(NamedTuple):
    app: WeComConfig
    about: Text
    said: Words


def troubles(answers: Iterable[Answer], look: Callable[[Answer], Words | None] = trouble) -> Iterator[Trouble]:
    for answer in answers:
        said = look(answer)
        if said is not None:
            yield Trouble(answer.question.app, answer.question.about, said)


def judge(found: Iterable[Trouble], well: Text) -> Result:
    """One result: what is wrong is said once, with everything that it is wrong with; ``well`` if nothing is."""
    together: dict[str, list[str]] = {}
    remedies: dict[str, None] = {}
    several = enabled_apps()[1:].exists()  # the app's name tells nothing where there is only one
    for one in found:
        name = " · ".join(filter(None, (str(one.app) if several else "", str(one.about))))
        together.setdefault(one.said.sentence, []).append(name)
        remedies[one.said.remedy] = None
    if not together:
        return passed(well)
    lines = [f"{', '.join(filter(None, names))}: {sentence}".removeprefix(": ") for sentence, names in together.items()]
    return failed(" ".join(lines[:MOST_SAID]), " ".join(list(remedies)[:MOST_SAID]))
