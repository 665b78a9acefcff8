"""Authentication back ends: whose password is asked at all, and how long a log-in by way of WeCom holds."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from wecom.login.policy import CURRENT_STAFF, passwords_are_for_superusers


class PasswordGate:
    """Stands before the back end that checks passwords, and ends the attempt where PASSWORD_LOGIN wants it.

    Such an attempt looks and counts as a wrong password, for a right one too: else it would say which ones are right.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> None:
        if username is None or password is None or not passwords_are_for_superusers():
            return
        if not User.objects.filter(username=username, is_superuser=True).exists():
            make_password(password)  # takes as long as checking a superuser's, so that time does not tell them apart
            raise PermissionDenied


class WeComMemberBackend(BaseBackend):
    """Whose sessions began with WeCom. They end with the next request after the member left, or lost the link."""

    def get_user(self, user_id: int) -> User | None:
        return User.objects.filter(CURRENT_STAFF, pk=user_id).first()
