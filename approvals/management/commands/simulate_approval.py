"""``manage.py simulate_approval``: press a button on the stand-in's phone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from approvals.exceptions import EngineError
from approvals.simulate import ACTIONS, simulate


class Command(BaseCommand):
    help = "Decide a quote's open approval in the WeCom stand-in, as its people would. Not with the real WeCom."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("quote_number", metavar="QUOTE_NUMBER", help="for example CIS-20260105-0001")
        parser.add_argument("action", choices=list(ACTIONS), help="what shall become of the approval")

    def handle(self, *args: Any, quote_number: str, action: str, **options: Any) -> None:
        try:
            instance = simulate(quote_number=quote_number, action=action)
        except EngineError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            _("Done in the stand-in for approval %(number)s; the result arrives as a callback.")
            % {"number": instance.sp_no or instance.third_no}
        )
