"""The WeCom stand-in on a socket: which part of it answers which path."""

from __future__ import annotations

from config.standin import control
from config.standin.errors import BrokenAnswer, ConnectionDropped, ControlError
from config.standin.server import Server
from config.standin.web import Request, Response, json_response
from wecom.standin import control_api, pages, wecom_api
from wecom.standin.call import Call, read_body
from wecom.standin.errors import ApiError
from wecom.standin.world import World

API_PREFIX = "/cgi-bin/"


class StandinServer(Server):
    def __init__(self, world: World) -> None:
        super().__init__(world.options.host, world.options.port)
        self.world = world

    def begin(self) -> None:
        self.world.sender.start()

    def end(self) -> None:
        self.world.close()

    def respond(self, request: Request) -> Response:
        if request.path.startswith(API_PREFIX):
            return _call_wecom(self.world, request)
        if request.path == "/standin/health":
            return json_response({"status": "ok"})
        if request.path.startswith(control.PREFIX):
            return control_api.CONTROL.respond(self.world, request)
        return pages.respond(self.world, request)

    def refusal(self, request: Request, error: ControlError) -> Response:
        if request.path.startswith(("/standin/", API_PREFIX)):
            return super().refusal(request, error)
        return pages.error_page(error)


def _call_wecom(world: World, request: Request) -> Response:
    endpoint = request.path.removeprefix(API_PREFIX)
    if endpoint not in wecom_api.ROUTES:
        raise ControlError(404, f"the stand-in does not know {endpoint}")
    call = Call(endpoint, request.method, request.query, {}, request.client_ip)
    try:
        call.body, call.wrong_json = read_body(request.body)
    except ApiError as error:
        return json_response({"errcode": error.errcode, "errmsg": error.message(request.client_ip)})
    try:
        result = wecom_api.answer(world, call)
    except (ConnectionDropped, BrokenAnswer):
        world.events.answered(call.after_answer)  # accepted, though nobody will be told
        raise
    return json_response(result, after_sent=lambda: world.events.answered(call.after_answer))
