"""Who may do what with messages, out of the box."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User

from config.roles import grant
from notifications.roles import RIGHTS


@pytest.fixture
def member_of(db: None):
    def make(group: str) -> User:
        user = User.objects.create_user(group, is_staff=True)
        Group.objects.get_or_create(name=group)  # tests that commit take what the migrations made with them
        grant(Group.objects, Permission.objects, RIGHTS)
        user.groups.add(Group.objects.get(name=group))
        return User.objects.get(pk=user.pk)

    return make


def test_integration_admins_write_the_words_and_send_again(member_of) -> None:
    assert member_of("integration_admin").has_perms(
        ["notifications.change_messagetemplate", "notifications.change_notification", "notifications.add_alertaddress"]
    )


def test_auditors_only_look(member_of) -> None:
    auditor = member_of("auditor")
    assert auditor.has_perms(["notifications.view_notification", "notifications.view_messagetemplate"])
    assert not {right for right in auditor.get_all_permissions() if right.startswith("notifications.")} - {
        f"notifications.view_{model}"
        for model in ("notification", "messagetemplate", "alertaddress", "alertrule", "incident")
    }


def test_sales_read_nobodys_messages(member_of) -> None:
    assert not [right for right in member_of("sales").get_all_permissions() if right.startswith("notifications.")]


@pytest.mark.django_db
def test_every_right_exists() -> None:
    existing = {f"{row.content_type.app_label}.{row.codename}" for row in Permission.objects.all()}
    assert {right for rights in RIGHTS.values() for right in rights} <= existing
