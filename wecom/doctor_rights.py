"""The doctor's questions about what the apps may do, and whether everything that is read from WeCom can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.doctor import Result, register_check
from wecom import customer_api, directory_api
from wecom.client import WeComClient, for_config
from wecom.configs import directory_readers
from wecom.doctor_asking import Answer, Question, apps_to_ask, judge, no_app, passing_remedy, put, trouble, troubles
from wecom.errors import PermanentError
from wecom.findings import Words
from wecom.models import (
    Capability,
    CapabilityResult,
    Department,
    DirectorySyncRun,
    ExternalContact,
    Member,
    WeComConfig,
)
from wecom.probe import PLACES, Probed, ask, explain
from wecom.probe_questions import NOBODY

ASKED = (
    Capability.APPROVALS,
    Capability.MESSAGES,
    Capability.CARDS,
    Capability.DIRECTORY,
    Capability.CUSTOMERS,
)
"""The others have checks of their own."""
NOT_GRANTED = frozenset({43012, 48001, 48002, 48006, 84074, 301055})
NOTHING_IN_REACH = frozenset({"no_department", "no_follower"})
CODE_REFUSED = frozenset({40029, 42003, 42022})
"""errcodes of a log-in code that nobody was given: the answer of an app that may ask."""


# -- rights ----------------------------------------------------------------------------------------------------------


def rights() -> Result:
    """The capability matrix of every enabled app, asked now; nothing of it is kept.

    The default app needs all of it. What another app was never seen to have, it does without.
    """
    apps = apps_to_ask()
    if not apps:
        return no_app()
    answers = put([Question(app, one.label, partial(ask, one, app)) for app in apps for one in ASKED])
    needed = {(apps[0].pk, str(one)) for one in ASKED}
    needed |= set(CapabilityResult.objects.filter(ok=True).values_list("config_id", "capability"))
    return judge(
        troubles(answers, partial(_missing, needed=needed)),
        _("The apps may do what they are used for: %(names)s.") % {"names": ", ".join(map(str, apps))},
    )


def _missing(answer: Answer, needed: set[tuple[int, str]]) -> Words | None:
    found, app = answer.value, answer.question.app
    if not isinstance(found, Probed) or found.ok:
        return trouble(answer)
    if (app.pk, str(found.capability)) not in needed and (
        found.errcode in NOT_GRANTED or found.finding in NOTHING_IN_REACH
    ):
        return None
    said = explain(found, app)
    if found.ok is None:
        return Words(said.sentence, passing_remedy(found.errcode))
    return Words(said.sentence, f"{said.remedy} [{PLACES[found.capability]}]")


# -- reading ---------------------------------------------------------------------------------------------------------


class _Known(NamedTuple):
    """Somebody and something to ask about. What is not known is made up: that WeCom does not know it is an answer."""

    department: int
    userid: str
    customer: str


class _Reading(NamedTuple):
    endpoint: str
    call: Callable[[WeComClient], Any]
    right: frozenset[int] = frozenset()
    """errcodes that are right answers too: what was asked for may be gone."""


def reading() -> Result:
    """Every call by which directory, customers and log-in are read, once, by every app that reads them."""
    apps = apps_to_ask()
    if not apps:
        return no_app()
    readers = set(directory_readers().values_list("pk", flat=True))
    readers |= set(DirectorySyncRun.objects.order_by().values_list("config_id", flat=True).distinct())  # also by hand
    questions = [
        Question(app, one.endpoint, partial(_read, one, app))
        for app in apps
        if app.pk in readers
        for one in _readings(app)
    ]
    return judge(troubles(put(questions)), _("Departments, members, customers and tags can be read."))


def _read(one: _Reading, app: WeComConfig) -> None:
    try:
        one.call(for_config(app))
    except PermanentError as error:
        if error.errcode not in one.right:
            raise


def _readings(app: WeComConfig) -> Iterator[_Reading]:
    department, userid, customer = _known(app)
    gone = frozenset(directory_api.NO_DEPARTMENT)
    yield _Reading("department/list", directory_api.list_departments)
    if department:
        yield _Reading("department/get", partial(directory_api.get_department, department=department), gone)
        yield _Reading(
            "user/list", partial(directory_api.list_members, department=department), gone | {directory_api.TOO_LARGE}
        )
        yield _Reading("user/simplelist", partial(directory_api.list_member_names, department=department), gone)
    yield _Reading("user/get", partial(directory_api.get_member, userid=userid), directory_api.NO_MEMBER)
    nobodys = frozenset({customer_api.NO_CUSTOMERS, customer_api.NO_LICENCE, 40003, 40096}) | directory_api.NO_MEMBER
    yield _Reading("externalcontact/get_corp_tag_list", customer_api.list_tag_groups)
    yield _Reading("externalcontact/batch/get_by_user", partial(customer_api.list_customers, userids=[userid]), nobodys)
    yield _Reading(
        "externalcontact/get",
        partial(customer_api.get_customer, external_userid=customer),
        customer_api.NO_SUCH_CUSTOMER,
    )
    yield _Reading("auth/getuserinfo", lambda client: client.get("auth/getuserinfo", {"code": NOBODY}), CODE_REFUSED)


def _known(app: WeComConfig) -> _Known:
    departments = Department.objects.current().filter(config=app).order_by("-pk")
    members = Member.objects.current().filter(config=app).order_by("pk")
    customers = ExternalContact.objects.filter(config=app, deleted_at=None).order_by("pk")
    return _Known(
        departments.values_list("remote_id", flat=True).first() or _first_department(app),
        members.values_list("userid", flat=True).first() or NOBODY,
        customers.values_list("external_userid", flat=True).first() or NOBODY,
    )


def _first_department(app: WeComConfig) -> int:
    """Before the first run: one that WeCom names. 0: none; that is for the check of the rights to say."""
    [answer] = put([Question(app, "", lambda: directory_api.list_department_ids(for_config(app)))])
    return int(answer.value[-1]["id"]) if answer.value else 0


register_check("wecom.rights", gettext_lazy("Rights of the apps"), rights, place=90)
register_check("wecom.reading", gettext_lazy("Reading from WeCom"), reading, place=95)
