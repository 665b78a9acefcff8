"""The queue of what is to be read anew, as an integration admin sees it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from config.durable import Status
from config.roles import grant
from wecom.contacts.refreshes import mark_due
from wecom.models import ContactRefresh, RefreshKind
from wecom.roles import REFRESH_RIGHTS
from wecom.tests.inbound import make_config

pytestmark = pytest.mark.django_db


@pytest.fixture
def row() -> ContactRefresh:
    mark_due(make_config().pk, RefreshKind.CUSTOMER, "wmFirst")
    ContactRefresh.objects.update(status=Status.DEAD, last_error="The app may not see customers.")
    return ContactRefresh.objects.get()


@pytest.mark.parametrize("role", ["integration_admin", "auditor"])
def test_it_is_listed_with_what_went_wrong(client: Client, row: ContactRefresh, role: str) -> None:
    user = User.objects.create_user("u", is_staff=True)
    group, _created = Group.objects.get_or_create(name=role)  # tests that commit take the migrations' with them
    grant(Group.objects, Permission.objects, REFRESH_RIGHTS)
    user.groups.add(group)
    client.force_login(user)
    page = client.get(reverse("admin:wecom_contactrefresh_changelist"), {"status__exact": "dead", "q": "wmFirst"})
    assert "The app may not see customers." in page.content.decode()
    assert client.get(reverse("admin:wecom_contactrefresh_change", args=[row.pk])).status_code == 200


def test_marking_it_again_makes_a_dead_one_due(row: ContactRefresh) -> None:
    mark_due(row.config_id, RefreshKind.CUSTOMER, "wmFirst")
    row.refresh_from_db()
    assert (row.status, row.last_error, row.attempts) == ("pending", "", 0)
