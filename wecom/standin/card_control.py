"""``/standin/api/cards``: press buttons, look at phones, let cards grow old."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.standin.control import Handler, row_limit
from config.standin.errors import ControlError
from config.standin.web import Request
from wecom.standin import cards

if TYPE_CHECKING:
    from wecom.standin.world import World


def list_cards(world: World, request: Request) -> Any:
    """Narrowed by ``userid`` and ``task_id``."""
    query = request.query
    found = cards.cards_of(world, query.get("userid", ""), query.get("task_id", ""), row_limit(request, 100))
    return {"cards": found}


def click(world: World, request: Request) -> Any:
    """``userid`` presses ``key`` on the card ``task_id``; ``force``: even where the phone shows no such button."""
    body = request.json()
    userid, task_id, key = (str(body.get(name) or "") for name in ("userid", "task_id", "key"))
    force = body.get("force", False)
    if not (userid and task_id and key) or not isinstance(force, bool):
        raise ControlError(400, "userid, task_id and key are required; force is true or false")
    return cards.press(world, userid, task_id, key, force=force)


def make_older(world: World, request: Request) -> Any:
    """``hours``: how much older the card ``task_id`` and its codes are to be; a code ends at 72, recalling at 24."""
    body = request.json()
    hours = body.get("hours")
    if isinstance(hours, bool) or not isinstance(hours, int | float):
        raise ControlError(400, "hours must be a number")
    return {"cards": cards.make_older(world, str(body.get("task_id") or ""), hours)}


ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", r"cards", list_cards),
    ("POST", r"cards/click", click),
    ("POST", r"cards/age", make_older),
)
