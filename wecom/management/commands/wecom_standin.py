"""``manage.py wecom_standin``: WeCom's API, its callbacks and a phone page, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from wecom.crypto import IllegalAesKey
from wecom.standin import customers
from wecom.standin.bulk import seed
from wecom.standin.options import DEFAULT_ENGINE_TEMPLATE_ID, DEFAULT_TEMPLATE_ID, Options
from wecom.standin.server import StandinServer
from wecom.standin.world import World

NEEDED = {
    "corp_id": "WECOM_CORP_ID",
    "secret": "WECOM_SECRET",
    "agent_id": "WECOM_AGENT_ID",
    "token": "WECOM_CALLBACK_TOKEN",
    "aes_key": "WECOM_ENCODING_AES_KEY",
}


class Command(BaseCommand):
    help = (
        "Run a stand-in for WeCom: its API under /cgi-bin, encrypted callbacks, and a page that looks like the "
        "approval list on a phone. For demos and tests; it has no log-in, so keep it on a loopback address."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
        parser.add_argument("--port", type=int, default=8091, help="port to listen on (default %(default)s)")
        parser.add_argument(
            "--database", type=Path, default=Path("var/standin.sqlite3"), help="where it keeps its state"
        )
        parser.add_argument("--callback-url", default=settings.WECOM_CALLBACK_URL, help="where events are posted")
        parser.add_argument("--corp-id", default=settings.WECOM_CORP_ID)
        parser.add_argument("--secret", default=settings.WECOM_SECRET)
        parser.add_argument("--agent-id", type=int, default=settings.WECOM_AGENT_ID)
        parser.add_argument("--token", default=settings.WECOM_CALLBACK_TOKEN, help="the callback's Token")
        parser.add_argument("--aes-key", default=settings.WECOM_ENCODING_AES_KEY, help="the callback's EncodingAESKey")
        parser.add_argument(
            "--template-id",
            default=settings.WECOM_APPROVAL_TEMPLATE_ID or DEFAULT_TEMPLATE_ID,
            help="id of the quotation template (default %(default)s)",
        )
        parser.add_argument(
            "--engine-template-id",
            default=settings.WECOM_ENGINE_TEMPLATE_ID or DEFAULT_ENGINE_TEMPLATE_ID,
            help="id of the template of the approval engine (default %(default)s)",
        )
        parser.add_argument(
            "--calls-per-minute", type=int, default=600, help="limit of each approval endpoint; 0 lifts all limits"
        )
        parser.add_argument(
            "--company-size", type=int, default=0, help="made-up members beside those with names (default %(default)s)"
        )
        parser.add_argument(
            "--contact-secret",
            default="",
            help="secret of a sync assistant, which may list all userids",
        )
        parser.add_argument(
            "--login-domain",
            default=urlsplit(settings.API_BASE_URL).netloc,
            help="host and port to which log-ins may return (default %(default)s)",
        )
        parser.add_argument("--seed", action="store_true", help="put a few approvals on the phones when empty")

    def handle(self, *args: Any, **options: Any) -> None:
        missing = [setting for option, setting in NEEDED.items() if not options[option]]
        if missing:
            raise CommandError(f"Set {', '.join(missing)} or give the matching options; see --help.")
        world = self._world(options)
        if options["seed"]:
            seed(world)
            customers.seed(world)
        try:
            server = StandinServer(world)
        except OSError as error:
            world.close()
            raise CommandError(f"Cannot listen on {options['host']}:{options['port']}: {error.strerror}.") from error
        self.stdout.write(f"WeCom stand-in: {server.url}/ (phone), {server.url}/faults (fault switches)")
        self.stdout.flush()
        server.run()

    def _world(self, options: dict[str, Any]) -> World:
        try:
            return World(
                Options(
                    database=options["database"],
                    corp_id=options["corp_id"],
                    secret=options["secret"],
                    agent_id=options["agent_id"],
                    token=options["token"],
                    aes_key=options["aes_key"],
                    callback_url=options["callback_url"],
                    template_id=options["template_id"],
                    engine_template_id=options["engine_template_id"],
                    calls_per_minute=options["calls_per_minute"],
                    company_size=options["company_size"],
                    contact_secret=options["contact_secret"],
                    login_domain=options["login_domain"],
                    host=options["host"],
                    port=options["port"],
                )
            )
        except IllegalAesKey as error:
            raise CommandError(str(error)) from error
