"""The checklist behind ``manage.py doctor``: is the whole integration in working order, and if not, what to do.

An app registers its checks in ``AppConfig.ready()``. A check looks, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.core import checks
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config import heartbeat

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found. ``remedy``: what a person can do, where it failed."""

    ok: bool
    sentence: Text
    remedy: Text = ""


def passed(sentence: Text) -> Result:
    return Result(True, sentence)


def failed(sentence: Text, remedy: Text) -> Result:
    return Result(False, sentence, remedy)


Check = Callable[[], Result]


@dataclass(frozen=True, slots=True)
class _Question:
    place: int
    title: Text
    check: Check


_registered: dict[str, _Question] = {}


def register_check(name: str, title: Text, check: Check, *, place: int) -> None:
    """To be called in ``AppConfig.ready()``. ``name`` is unique; registering it again replaces the check.

    ``place`` orders the list: what others depend on comes first.
    """
    _registered[name] = _Question(place, title, check)


def examine() -> Iterator[tuple[Text, Result]]:
    """Run all checks, one after another, yielding title and result of each. A check that raises has failed."""
    for question in sorted(_registered.values(), key=lambda question: question.place):
        try:
            result = question.check()
        except (OperationalError, InterfaceError) as error:  # many checks read rows; the driver's text is for nobody
            result = failed(f"{_NO_DATABASE} ({type(error).__name__})", _FIX_DATABASE)
        except Exception as error:  # noqa: BLE001 - the doctor must reach the end of the list whatever it meets
            sentence = " ".join(f"{type(error).__name__}: {error}".split())
            result = failed(sentence, _("The log of this command has the details."))
        yield question.title, result


def _settings() -> Result:
    errors = [message for message in checks.run_checks() if message.is_serious()]
    if errors:
        return failed(
            " ".join(str(error.msg) for error in errors),
            " ".join(str(error.hint) for error in errors if error.hint) or _("Correct the setting and start again."),
        )
    return passed(_("All settings can be used."))


def _database() -> Result:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return failed(
            _("%(count)d migrations have not been applied.") % {"count": len(waiting)},
            _("Run “python manage.py migrate”."),
        )
    return passed(_("%(vendor)s answers, and its tables are up to date.") % {"vendor": connection.display_name})


def _redis() -> Result:
    heartbeat.redis().ping()
    return passed(_("Redis answers."))


def _worker() -> Result:
    if heartbeat.is_alive("worker"):
        return passed(_("A worker is running."))
    return failed(
        _("No worker was heard of lately; nothing is sent to WeCom, and events wait."),
        _("Start one: “celery -A config worker”. If it runs, check that it uses the same REDIS_URL."),
    )


def _beat() -> Result:
    if heartbeat.is_alive("beat"):
        return passed(_("Beat is running."))
    return failed(
        _("Beat was not heard of lately; schedules stand still."),
        _("Start exactly one: “celery -A config beat”. If it runs, check that it uses the same REDIS_URL."),
    )


def _unreachable(check: Check, sentence: Text, remedy: Text) -> Check:
    """``check``, with words for the case that it cannot even ask."""

    def guarded() -> Result:
        try:
            return check()
        except Exception as error:  # noqa: BLE001 - drivers raise what they like
            return failed(f"{sentence} ({type(error).__name__})", remedy)

    return guarded


_NO_DATABASE = gettext_lazy("The database cannot be reached.")
_FIX_DATABASE = gettext_lazy("Start it, or correct DATABASE_URL.")
_NO_REDIS = gettext_lazy("Redis cannot be reached.")
_FIX_REDIS = gettext_lazy("Start Redis, or correct REDIS_URL.")

register_check("settings", gettext_lazy("Settings"), _settings, place=10)
register_check("database", gettext_lazy("Database"), _unreachable(_database, _NO_DATABASE, _FIX_DATABASE), place=20)
register_check("redis", gettext_lazy("Redis"), _unreachable(_redis, _NO_REDIS, _FIX_REDIS), place=30)
register_check("worker", gettext_lazy("Worker"), _unreachable(_worker, _NO_REDIS, _FIX_REDIS), place=40)
register_check("beat", gettext_lazy("Beat"), _unreachable(_beat, _NO_REDIS, _FIX_REDIS), place=50)
