"""``manage.py projects_standin``: a remote project library on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from projects.standin.options import Options
from projects.standin.server import LibraryServer
from projects.standin.world import World


class Command(BaseCommand):
    help = (
        "Run a stand-in for the remote project library: its API under /projects, pages to look at the projects and "
        "change them, and fault switches. For demos and tests; its pages have no log-in, so keep it on a loopback "
        "address."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
        parser.add_argument("--port", type=int, default=8093, help="port to listen on (default %(default)s)")
        parser.add_argument(
            "--database", type=Path, default=Path("var/projects_standin.sqlite3"), help="where it keeps its projects"
        )
        parser.add_argument("--key", default=settings.REMOTE_API_KEY, help="what clients must send as Bearer key")
        parser.add_argument(
            "--projects", type=int, default=60, help="projects that an empty library begins with (default %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["key"]:
            raise CommandError("Set REMOTE_API_KEY or give --key; see --help.")
        world = World(
            Options(
                database=options["database"],
                key=options["key"],
                projects=options["projects"],
                host=options["host"],
                port=options["port"],
            )
        )
        try:
            server = LibraryServer(world)
        except OSError as error:
            world.close()
            raise CommandError(f"Cannot listen on {options['host']}:{options['port']}: {error.strerror}.") from error
        self.stdout.write(f"Project library: {server.url}/ (change projects), {server.url}/faults (fault switches)")
        self.stdout.flush()
        server.run()
