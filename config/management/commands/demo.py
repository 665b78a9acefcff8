from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config import demo
from config.runner import PartFailed, Stopped


class Command(BaseCommand):
    help = (
        "Run the whole system on this machine for trying it out: web, worker, beat, an embedded Redis, and stand-ins "
        "for WeCom and the project library, with demo data. Writes a .env with fresh secrets when there is none. "
        "Ctrl-C ends everything."
    )
    requires_system_checks: list[str] = []  # before the first run there is no .env to be checked

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="port of the web server (default %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            demo.run(settings.BASE_DIR, settings.BASE_DIR / "var", options["port"], sys.stdout)
        except (demo.CannotStart, PartFailed) as error:
            raise CommandError(str(error)) from error
        except Stopped:
            self.stdout.write(_("Everything has ended."))
