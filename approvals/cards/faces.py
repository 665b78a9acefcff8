"""What a card shows, as WeCom's ``template_card`` (docs 90236, 94888). Pure; the texts are in LANGUAGE_CODE.

Lengths are those that WeCom advises: what is longer is cut here, where it can end with an ellipsis.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from approvals import links
from approvals.cards.facts import Facts
from approvals.models import ApprovalCard, ApprovalStep, CardState, InstanceStatus
from approvals.money import total_of
from approvals.revisions import change_of_total
from approvals.steps import AGREED

AGREE = "agree"
"""Key of the one button that is pressed on the card itself."""
TITLE, SUBTITLE, TEXT, VALUE = 36, 44, 160, 30
"""Characters of a card's title, the line below it, its text, and a value in its list."""
ELLIPSIS = "…"
GREY, RED, GREEN = 0, 2, 3
"""Colours of the line above the title."""
_COLOURS = {InstanceStatus.APPROVED: GREEN, InstanceStatus.REJECTED: RED}
PLAIN, BLUE_FRAME, RED_FRAME = 1, 2, 3
"""Styles of buttons."""


class Stage(StrEnum):
    """``waiting``: for the reader, with buttons. ``link``: for the reader, who decides in the system. ``passed``: for
    others. ``result``: the approval has ended."""

    WAITING = "waiting"
    LINK = "link"
    PASSED = "passed"
    RESULT = "result"


SHOWN_AS = {
    Stage.WAITING: CardState.LIVE,
    Stage.LINK: CardState.LINK,
    Stage.PASSED: CardState.PASSED,
    Stage.RESULT: CardState.CLOSED,
}
"""The state of a card that shows a stage."""


@dataclass(frozen=True, slots=True)
class Face:
    """``content``: the ``template_card`` without task ID. ``digest`` is the same for faces between which no code is
    worth spending: the stage and the result count, not the names of who is still to agree."""

    stage: Stage
    content: dict[str, Any]
    digest: str


def face_of(facts: Facts, card: ApprovalCard, stage: Stage) -> Face:
    """What ``card`` shows at ``stage``."""
    with translation.override(settings.LANGUAGE_CODE):
        content = _CONTENTS[stage](facts, card)
    return Face(stage, content, digest_of(facts, stage))


def digest_of(facts: Facts, stage: Stage) -> str:
    what = f"{stage}:{facts.instance.status if stage == Stage.RESULT else ''}"
    return hashlib.sha256(what.encode()).hexdigest()


def with_note(face: Face, sentence: str) -> Face:
    """The same with ``sentence`` as its text: why a press had no effect."""
    return replace(face, content={**face.content, "sub_title_text": cut(sentence, TEXT)})


def _waiting(facts: Facts, card: ApprovalCard) -> dict[str, Any]:
    page = links.page(facts.instance.pk)
    return _asked(facts, card) | {
        "card_type": "button_interaction",
        "button_list": [
            {"text": _("Agree"), "style": PLAIN, "key": AGREE},
            {"text": _("Reject"), "style": RED_FRAME, "type": 1, "url": links.reject(facts.instance.pk)},
            {"text": _("Details"), "style": BLUE_FRAME, "type": 1, "url": page},
        ],
    }


def _link(facts: Facts, card: ApprovalCard) -> dict[str, Any]:
    open_it = {"type": 1, "title": _("Decide in the system"), "url": links.page(facts.instance.pk)}
    return _asked(facts, card) | {"card_type": "text_notice", "jump_list": [open_it]}


def _asked(facts: Facts, card: ApprovalCard) -> dict[str, Any]:
    """What both kinds of card say to somebody whose turn it is."""
    submitted = facts.latest("submit")
    step = next((step for step in facts.open_steps if _decides_in_place_of(step, card)), None)
    content = facts.instance.snapshot
    return _frame(
        facts,
        below=_("Waiting for your decision"),
        text=submitted.comment if submitted else "",
        lines=[
            (_("Change"), change_of_total(content, facts.earlier)),
            (_("Applicant"), submitted.actor if submitted else ""),
            (_("In place of"), _name(step) if step else ""),
        ],
    ) | _asked_by(facts, card, step)


def _decides_in_place_of(step: ApprovalStep, card: ApprovalCard) -> bool:
    return [step.delegated_to.casefold()] == [userid.casefold() for userid in card.userids]


def _asked_by(facts: Facts, card: ApprovalCard, step: ApprovalStep | None) -> dict[str, Any]:
    """Who passed the turn on, with what they said."""
    if step is None:
        return {}
    passed = [e for e in facts.entries if e.details.get("delegate_to") == step.delegated_to and e.comment]
    return {"quote_area": {"type": 0, "title": passed[-1].actor, "quote_text": passed[-1].comment}} if passed else {}


def _passed(facts: Facts, card: ApprovalCard) -> dict[str, Any]:
    agreed = [entry.actor for entry in facts.entries if entry.action == "approve"]
    waiting = [_name(step) for step in facts.open_steps if step.status not in AGREED]
    return _frame(
        facts,
        below=_("Waiting for others"),
        text="",
        lines=[(_("Agreed"), _together(agreed)), (_("Waiting for"), _together(waiting))],
    ) | {"card_type": "text_notice"}


def _result(facts: Facts, card: ApprovalCard) -> dict[str, Any]:
    """How it ended stands above the title, in its colour; when and by whom below."""
    instance, decision = facts.instance, facts.latest("approve", "reject", "withdraw")
    status = InstanceStatus(instance.status)
    when = f"{timezone.localtime(instance.decided_at):%Y-%m-%d %H:%M}" if instance.decided_at else ""
    by = (decision.actor, str(decision.get_channel_display())) if decision else ()
    return _frame(
        facts,
        below=" · ".join(filter(None, (when, *by))),
        text=decision.comment if decision else "",
        lines=[],
    ) | {
        "card_type": "text_notice",
        "source": {"desc": str(status.label), "desc_color": _COLOURS.get(status, GREY)},
    }


_CONTENTS: dict[Stage, Callable[[Facts, ApprovalCard], dict[str, Any]]] = {
    Stage.WAITING: _waiting,
    Stage.LINK: _link,
    Stage.PASSED: _passed,
    Stage.RESULT: _result,
}


def _frame(facts: Facts, *, below: str, text: str, lines: list[tuple[str, str]]) -> dict[str, Any]:
    """What all faces have: which quote, for whom, how much, and where to read on."""
    content = facts.instance.snapshot
    known = [
        (_("Customer"), content["customer_name"]),
        (_("Total"), total_of(content)),
        *lines,
    ]
    title = {"title": cut(f"{facts.instance.third_no} {content['title']}", TITLE)}
    card: dict[str, Any] = {
        "main_title": title | ({"desc": cut(below, SUBTITLE)} if below else {}),
        "horizontal_content_list": [{"keyname": key, "value": cut(value, VALUE)} for key, value in known if value],
        "card_action": {"type": 1, "url": links.page(facts.instance.pk)},
    }
    return card | ({"sub_title_text": cut(text, TEXT)} if text else {})


def _name(step: ApprovalStep) -> str:
    return step.name or step.userid


def _together(names: Iterable[str]) -> str:
    return str(_(", ")).join(dict.fromkeys(names))


def cut(text: str, longest: int) -> str:
    """``text`` in at most ``longest`` characters, ended with … if it was longer."""
    return text if len(text) <= longest else text[: longest - len(ELLIPSIS)].rstrip() + ELLIPSIS
