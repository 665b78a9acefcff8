from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from knox.models import AuthToken

DEFAULT_DAYS = 90
LONGEST_DAYS = 3650


class Command(BaseCommand):
    help = "Create an API token for a user; the last line of the output is the token alone. It is shown only now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="whose rights the token has")
        parser.add_argument("--days", type=int, default=DEFAULT_DAYS, help="how long it lives (default %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        username, days = options["username"], options["days"]
        if not 1 <= days <= LONGEST_DAYS:
            raise CommandError(f"--days must be from 1 to {LONGEST_DAYS}.")
        user = get_user_model().objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user called {username}.")
        if not user.is_active:
            raise CommandError(f"{username} is not active; the token would be refused.")
        token, key = AuthToken.objects.create(user, expiry=timedelta(days=days))
        self.stdout.write(f"Token of {username}, valid until {token.expiry:%Y-%m-%d %H:%M} UTC.")
        self.stdout.write("Send it as the header  Authorization: Token <token>")
        self.stdout.write(key)
