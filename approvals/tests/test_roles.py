"""The roles: made by migration, with the right rights, and the operator's from then on."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from approvals.roles import LATER_PAGES, ROLES, create_roles


def migrate(target: str) -> None:
    MigrationExecutor(connection).migrate([("approvals", target)])


def migrate_all() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.fixture
def roles(db: None) -> dict[str, Group]:
    Group.objects.all().delete()  # those of the migrations, to which other apps have added
    create_roles(Group.objects, Permission.objects)
    return {group.name: group for group in Group.objects.all()}


def rights(group: Group) -> set[str]:
    return {f"{row.content_type.app_label}.{row.codename}" for row in group.permissions.select_related("content_type")}


def test_each_role_holds_what_the_list_says(roles):
    assert {name: rights(group) for name, group in roles.items()} == {name: set(held) for name, held in ROLES.items()}


def test_who_may_do_what(roles):
    assert "approvals.submit_quote" in rights(roles["sales"])
    assert "approvals.decide_approval" in rights(roles["approver"])
    assert {"approvals.close_conflict", "wecom.change_wecomconfig"} <= rights(roles["integration_admin"])
    deciding = {"approvals.decide_approval", "approvals.decide_any_approval"}
    assert not deciding & (rights(roles["sales"]) | rights(roles["integration_admin"]) | rights(roles["auditor"]))


def test_the_auditor_changes_nothing(roles):
    assert all(right.split(".")[1].startswith("view_") for right in rights(roles["auditor"]))


def test_what_an_operator_changed_stays(roles):
    roles["sales"].permissions.clear()
    assert create_roles(Group.objects, Permission.objects) == []
    assert rights(roles["sales"]) == set()


@pytest.mark.django_db(transaction=True)
def test_the_migration_makes_them_and_takes_them_back():
    try:
        migrate("0001_initial")
        assert not Group.objects.filter(name__in=ROLES).exists()
        Permission.objects.all().delete()  # as in a new database: Django makes them after the last migration only
        migrate("0002_roles")
        for name, held in ROLES.items():
            assert rights(Group.objects.get(name=name)) == set(held)
        migrate_all()  # the apps that came later find the groups
        assert "projects.issue_links" in rights(Group.objects.get(name="sales"))
        for name in ROLES:
            assert set(LATER_PAGES[name]) <= rights(Group.objects.get(name=name))
        user = User.objects.create_user("sam")
        user.groups.add(Group.objects.get(name="sales"))
        assert user.has_perm("approvals.submit_quote")
    finally:
        migrate_all()
