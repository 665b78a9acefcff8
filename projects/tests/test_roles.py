"""What the roles of the house may do with projects: handed out by migration, added to what they hold."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.roles import find, grant, withdraw
from projects.roles import RIGHTS


def rights(group: Group) -> set[str]:
    rows = group.permissions.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


@pytest.fixture
def groups(db: None) -> dict[str, Group]:
    Group.objects.all().delete()
    return {name: Group.objects.create(name=name) for name in RIGHTS}


def test_rights_are_added_to_what_a_role_holds(groups: dict[str, Group]):
    groups["sales"].permissions.set(find(Permission.objects, ["approvals.view_quote"]))
    groups["approver"].delete()
    assert grant(Group.objects, Permission.objects, RIGHTS) == ["auditor", "integration_admin", "sales"]
    assert rights(groups["sales"]) == {"approvals.view_quote", *RIGHTS["sales"]}
    assert not Group.objects.filter(name="approver").exists()
    withdraw(Group.objects, Permission.objects, RIGHTS)
    assert rights(groups["sales"]) == {"approvals.view_quote"}


def test_a_right_that_does_not_exist_is_an_error(groups: dict[str, Group]):
    with pytest.raises(LookupError, match=r"projects\.fly"):
        grant(Group.objects, Permission.objects, {"sales": ["projects.fly"]})


def test_who_may_do_what():
    assert "projects.issue_links" in RIGHTS["sales"]
    assert "projects.sync_remotesource" in RIGHTS["integration_admin"]
    for role in ("sales", "approver", "auditor"):
        assert not {right for right in RIGHTS[role] if right.split(".")[1].startswith(("add", "change", "delete"))}
        assert "projects.view_phone" not in RIGHTS[role]
    assert all(right.split(".")[1].startswith("view_") for right in RIGHTS["auditor"])


def test_the_integration_admin_may_do_everything_that_can_be_done(db: None):
    """Nobody edits the mirror, its runs or its log: those rights open nothing."""
    facts = ("projectcache", "projectsynchistory", "projectstatuschange", "projectaccesstoken", "projectaccesslog")
    rows = Permission.objects.filter(content_type__app_label="projects").select_related("content_type")
    useful = {
        f"projects.{row.codename}"
        for row in rows
        if not (row.content_type.model in facts and row.codename.startswith(("add_", "change_", "delete_")))
    }
    one_row = {
        f"projects.{verb}_{model}" for verb in ("add", "delete") for model in ("projectsyncconfig", "timedisplayconfig")
    }
    assert set(RIGHTS["integration_admin"]) == useful - one_row


@pytest.mark.django_db(transaction=True)
def test_the_migration_hands_them_out_and_takes_them_back():
    def migrate(*targets: tuple[str, str]) -> None:
        executor = MigrationExecutor(connection)
        executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())

    try:
        migrate(("projects", "0001_models"))
        Group.objects.all().delete()
        Group.objects.create(name="sales")
        migrate(("projects", "0002_roles"))
        assert rights(Group.objects.get(name="sales")) == set(RIGHTS["sales"])
        user = User.objects.create_user("sam")
        user.groups.add(Group.objects.get(name="sales"))
        assert user.has_perm("projects.issue_links")
        migrate(("projects", "0001_models"))
        assert rights(Group.objects.get(name="sales")) == set()
    finally:
        migrate()
