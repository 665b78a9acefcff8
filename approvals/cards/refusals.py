"""Why a press on a card had no effect: a word for the timeline, and a sentence for the card."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.exceptions import EngineError, WrongState
from approvals.models import ApprovalCard, ApprovalInstance, StepStatus
from approvals.steps import belongs_to

SENTENCES: dict[str, Promise] = {
    "not_your_card": _("This card was not sent to you."),
    "old_revision": _("This card is about an earlier revision. The quote has been revised since."),
    "ended": _("It was decided before you pressed; your press had no effect."),
    "twice": _("You have agreed already; once is enough."),
    "not_your_turn": _("It is not your turn any more; your press had no effect."),
    "own_quote": _("Nobody decides on their own quote."),
    "not_an_approver": _("You are not an approver of this quote any more."),
    "not_allowed": _("You lack the right to decide on quotes. Ask the administrator of the system."),
    "unknown_button": _("The system does not know this button."),
}


def reason_of(error: EngineError, card: ApprovalCard, userid: str) -> str:
    """A key of SENTENCES for what the engine refused. Who taps twice is told so, also when the first tap ended it."""
    if isinstance(error, WrongState) and _is_revised(card):
        return "old_revision"
    own = [step for step in card.instance.steps.filter(node=card.node) if belongs_to(step, userid)]
    if any(step.status == StepStatus.APPROVED for step in own):
        return "twice"
    if isinstance(error, WrongState):
        return "ended"
    if error.code == "not_an_approver" and own:
        return "not_allowed"
    return error.code if error.code in SENTENCES else "not_allowed"


def _is_revised(card: ApprovalCard) -> bool:
    newer = ApprovalInstance.objects.filter(quote=card.instance.quote_id, revision__gt=card.instance.revision)
    return card.instance.quote.revision > card.instance.revision or newer.exists()


def sentence(reason: str) -> str:
    """For the card: in LANGUAGE_CODE."""
    with translation.override(settings.LANGUAGE_CODE):
        return str(SENTENCES[reason])
