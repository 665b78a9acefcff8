"""The library on a socket: which part of it answers which path."""

from __future__ import annotations

from config.standin import control
from config.standin.errors import ControlError
from config.standin.server import Server
from config.standin.web import Request, Response, json_response
from projects.standin import api, control_api, pages
from projects.standin.world import World


class LibraryServer(Server):
    def __init__(self, world: World) -> None:
        super().__init__(world.options.host, world.options.port)
        self.world = world

    def end(self) -> None:
        self.world.close()

    def respond(self, request: Request) -> Response:
        if request.path == api.PATH or request.path.startswith(f"{api.PATH}/"):
            return api.respond(self.world, request)
        if request.path == "/standin/health":
            return json_response({"status": "ok"})
        if request.path.startswith(control.PREFIX):
            return control_api.CONTROL.respond(self.world, request)
        return pages.respond(self.world, request)

    def refusal(self, request: Request, error: ControlError) -> Response:
        if request.path.startswith("/standin/"):
            return super().refusal(request, error)
        return pages.error_page(request, error)
