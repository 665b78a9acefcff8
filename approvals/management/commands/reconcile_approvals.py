"""``manage.py reconcile_approvals``: compare approvals with WeCom now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from approvals.comparison import Report
from approvals.models import ApprovalInstance
from approvals.reconcile import reconcile


class Command(BaseCommand):
    help = (
        "Compare approvals with WeCom and repair what was lost on the way: all that are open, or those given with "
        "--ids whatever their state. Exit status 1 if WeCom failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--ids", nargs="+", type=int, metavar="ID", help="IDs of approvals (not of quotes)")

    def handle(self, *args: Any, ids: list[int] | None = None, **options: Any) -> None:
        if ids:
            known = set(ApprovalInstance.objects.filter(pk__in=ids).values_list("pk", flat=True))
            if unknown := sorted(set(ids) - known):
                raise CommandError(_("Unknown approvals: %(ids)s") % {"ids": ", ".join(map(str, unknown))})
        report = reconcile(ids or None)
        if report.skipped:
            raise CommandError(_("Another comparison is running; try again when it has ended."))
        self._print(report)

    def _print(self, report: Report) -> None:
        self.stdout.write(
            _(
                "%(checked)d compared, %(applied)d updated, %(adopted)d found again, %(conflicts)d in conflict, "
                "%(released)d parked events placed, %(calls)d calls to WeCom."
            )
            % report.as_json()
        )
        for sentence in report.errors:
            self.stderr.write(self.style.ERROR(sentence))
        if report.errors:
            raise CommandError(_("Not everything could be compared; what could be is done."))
