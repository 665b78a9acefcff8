"""The link between member and user is a key, and a superuser's is not handed out by others."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from config.testing.admin_browser import logged_in
from wecom.models import Member

LIST = "/admin/wecom/member/"


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def clerk(db: None) -> Client:
    """Somebody who looks after members."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__endswith="_member", content_type__app_label="wecom"))
    return logged_in(user)


def link(client: Client, member: Member, user: User) -> bool:
    """Whether the member is linked to ``user`` afterwards."""
    data = {"config": member.config_id, "userid": member.userid, "name": member.name, "user": user.pk}
    client.post(f"{LIST}{member.pk}/change/", data)
    member.refresh_from_db()
    return member.user_id == user.pk


def test_only_superusers_link_a_superuser(clerk: Client, root: User, li: Member):
    colleague = User.objects.create_user("colleague", is_staff=True)
    assert not link(clerk, li, root)
    assert link(clerk, li, colleague)
    assert link(logged_in(root), li, root)


def test_only_superusers_change_or_delete_the_member_of_one(clerk: Client, root: User, li: Member):
    Member.objects.update(user=root)
    page = clerk.get(f"{LIST}{li.pk}/change/")
    assert page.status_code == 200
    assert page.context["has_change_permission"] is False
    assert clerk.post(f"{LIST}{li.pk}/change/", {"userid": "clerks.own"}).status_code == 403
    assert clerk.post(f"{LIST}{li.pk}/delete/", {"post": "yes"}).status_code == 403
    clerk.post(LIST, {"action": "delete_selected", "_selected_action": [li.pk], "post": "yes"})
    assert Member.objects.get().userid == "li.mei"
