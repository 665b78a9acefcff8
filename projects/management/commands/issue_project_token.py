"""``manage.py issue_project_token``: a link to a project for one person."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from projects.models import ProjectCache, Role
from projects.refresh import LibrariesAway, find
from projects.tokens import DAYS, MOST_DAYS, issue


class Command(BaseCommand):
    help = (
        "Make a link to a project for one person, and print it and its token (on the last line). "
        "Neither can be shown again. A project that the mirror does not have yet is fetched from its library."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="the project's ID in its library")
        parser.add_argument("--user-id", required=True, metavar="ID", help="who the link is for, such as C-17")
        parser.add_argument("--user-name", required=True, metavar="NAME", help="their name")
        parser.add_argument("--user-type", required=True, choices=Role.values, help="what they are to the project")
        parser.add_argument(
            "--days",
            type=int,
            default=DAYS,
            metavar="N",
            help=f"valid for so long, at most {MOST_DAYS} (default: {DAYS})",
        )

    def handle(
        self, *args: Any, project: str, user_id: str, user_name: str, user_type: str, days: int, **options: Any
    ) -> None:
        try:
            issued = issue(_project(project), user_id=user_id, user_name=user_name, access_type=user_type, days=days)
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from error
        self.stdout.write(issued.url)
        self.stdout.write(issued.token)


def _project(remote_id: str) -> ProjectCache:
    try:
        project = ProjectCache.objects.filter(remote_id=remote_id).first() or find(remote_id)
    except LibrariesAway as error:
        raise CommandError(str(error)) from error
    if project is None:
        raise CommandError(_("There is no project %(id)s.") % {"id": remote_id})
    return project
