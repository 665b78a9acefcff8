"""People of the house, with just the rights that a test gives them."""

from __future__ import annotations

from django.contrib.auth.models import Permission, User
from knox.models import AuthToken
from rest_framework.test import APIClient


def staff(*rights: str, name: str = "nora") -> User:
    """Somebody with exactly ``rights`` ("app.codename")."""
    user = User.objects.create_user(name, is_staff=True)
    for right in rights:
        app, codename = right.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def client_of(user: User, language: str = "en") -> APIClient:
    """A client that logs in as scripts do, with a token."""
    client = APIClient(headers={"accept-language": language})
    client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user)[1]}")
    return client
