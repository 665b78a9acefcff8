"""Whatever happens at WeCom, and whichever callbacks of it come, in whatever order: after a full run both are the same;
and once all callbacks have come and been read, even before it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wecom import inbox
from wecom.contacts import refreshes
from wecom.models import (
    CallbackEvent,
    ContactRefresh,
    Department,
    DirectorySyncRun,
    ExternalContact,
    Member,
    TagGroup,
    WeComConfig,
)
from wecom.tests.contacts.conftest import arrive, synchronise
from wecom.tests.contacts.crm import Crm
from wecom.tests.contacts.mirror import picture

pytestmark = pytest.mark.django_db(transaction=True)

USERIDS, CUSTOMERS, TAGS, DEPARTMENTS = ("ann", "bob", "cy"), ("x", "y"), ("t1", "t2"), (1, 2, 3)
Told = tuple[str, str, dict[str, Any]]


def hire(crm: Crm, userid: str, number: int) -> list[Told]:
    known = userid in crm.members
    crm.member(userid, *sorted(set(crm.departments) & {1, number}), name=f"n{number}")
    return [("change_contact", "update_user" if known else "create_user", {"UserID": userid, "Name": f"n{number}"})]


def leave(crm: Crm, userid: str, _number: int) -> list[Told]:
    if userid not in crm.members:
        return []
    crm.remove(userid)
    crm.sellers = [one for one in crm.sellers if one != userid]
    ended = [key for key in crm.follows if key[1] == userid]
    told: list[Told] = [("change_contact", "delete_user", {"UserID": userid})]
    for customer, _userid in ended:
        crm.unfollow(customer, userid)
        told.append(("change_external_contact", "del_external_contact", {"UserID": userid, "ExternalUserID": customer}))
    return told


def rename(crm: Crm, userid: str, number: int) -> list[Told]:
    new = USERIDS[number % len(USERIDS)]
    if userid not in crm.members or new in crm.members or any(key[1] == userid for key in crm.follows):
        return []
    crm.members[new] = crm.members.pop(userid) | {"userid": new}
    return [("change_contact", "update_user", {"UserID": userid, "NewUserID": new})]


def found(crm: Crm, _userid: str, number: int) -> list[Told]:
    if number in crm.departments:
        crm.departments[number]["name"] += "'"
        return [("change_contact", "update_party", {"Id": number})]
    crm.department(number, name=f"d{number}")
    return [("change_contact", "create_party", {"Id": number, "ParentId": 1})]


def dissolve(crm: Crm, _userid: str, number: int) -> list[Told]:
    if number == 1 or number not in crm.departments or crm.of(number):
        return []
    del crm.departments[number]
    return [("change_contact", "delete_party", {"Id": number})]


def win(crm: Crm, userid: str, number: int) -> list[Told]:
    customer = CUSTOMERS[number % 2]
    if userid not in crm.members:
        return []
    if (customer, userid) in crm.follows:
        known = {key for group in crm.groups.values() for key in group["tags"]}
        crm.follow(customer, userid, remark=f"r{number}", tag_id=sorted(known)[:number])
        return [("change_external_contact", "edit_external_contact", {"UserID": userid, "ExternalUserID": customer})]
    if customer not in crm.contacts:
        crm.customer(customer)
    crm.follow(customer, userid)
    return [("change_external_contact", "add_external_contact", {"UserID": userid, "ExternalUserID": customer})]


def lose(crm: Crm, userid: str, number: int) -> list[Told]:
    customer = CUSTOMERS[number % 2]
    if (customer, userid) not in crm.follows:
        return []
    crm.unfollow(customer, userid)
    return [("change_external_contact", "del_external_contact", {"UserID": userid, "ExternalUserID": customer})]


def label(crm: Crm, _userid: str, number: int) -> list[Told]:
    tag = TAGS[number % 2]
    if crm.groups.pop("g", None):
        for follow in crm.follows.values():
            follow["tag_id"] = []
        return [("change_external_tag", "delete", {"Id": "g", "TagType": "tag_group"})]
    names: dict[str, Any] = {tag: f"name{number}"}
    crm.group("g", **names)
    return [("change_external_tag", "create", {"Id": tag, "TagType": "tag"})]


ACTS = (hire, hire, leave, rename, found, dissolve, win, win, lose, label)
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTS), st.sampled_from(USERIDS), st.integers(1, 3), st.sampled_from("scdrr")), max_size=14
)


def start(config: WeComConfig, crm: Crm) -> None:
    for model in (CallbackEvent, ContactRefresh, DirectorySyncRun, ExternalContact, Member, TagGroup, Department):
        model.objects.filter(config=config).delete()
    crm.departments, crm.members, crm.contacts, crm.follows, crm.groups = {}, {}, {}, {}, {}
    crm.sellers = []
    crm.department(1, name="root")
    crm.member("ann", 1)
    synchronise(config, "full")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, order=st.randoms(use_true_random=False), lost=st.booleans())
def test_any_history_ends_equal(saved_app: WeComConfig, crm: Crm, steps: Any, order: Any, lost: bool) -> None:
    start(saved_app, crm)
    waiting: list[Told] = []
    for act, userid, number, fate in steps:
        told = act(crm, userid, number)
        waiting += told * (2 if fate == "d" else 1)  # WeCom repeats itself
        if fate == "s":
            order.shuffle(waiting)
        if fate == "r":
            continue  # they wait, and may come in another order
        for event in waiting:
            arrive(saved_app, event[0], event[1], **event[2])
        waiting = []
        inbox.process_due()
        if fate == "c":
            refreshes.process_due()
    order.shuffle(waiting)
    for event in [] if lost else waiting:
        arrive(saved_app, event[0], event[1], **event[2])
    inbox.process_due()
    while refreshes.process_due():
        pass
    if not lost:
        assert picture(saved_app) == crm.picture()
    assert synchronise(saved_app, "full", force=True).status == "success"
    assert picture(saved_app) == crm.picture()
