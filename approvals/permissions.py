"""Who may do what to a quote or an approval. Asked by the engine inside the transition, never by a button alone."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from approvals.actors import Actor
from approvals.exceptions import NotAllowed
from approvals.models import ApprovalInstance, ApprovalStep, Quote
from approvals.steps import belongs_to, open_steps


def require_own_quote(actor: Actor, quote: Quote, permission: str) -> None:
    """``permission`` plus either ownership or the right to work on other people's quotes. Raises NotAllowed."""
    if not actor.may(permission):
        raise NotAllowed
    if actor.user != quote.owner and not actor.may("approvals.manage_all_quotes"):
        raise NotAllowed(_("This quote belongs to somebody else."))


def require_applicant(actor: Actor, instance: ApprovalInstance) -> None:
    """Withdrawing and reminding are the applicant's (or the quote's owner's). Raises NotAllowed."""
    if not actor.may("approvals.submit_quote"):
        raise NotAllowed
    if not _owns(actor, instance) and not actor.may("approvals.manage_all_quotes"):
        raise NotAllowed(_("Only the applicant can do this."))


def deciding_steps(actor: Actor, instance: ApprovalInstance, steps: Sequence[ApprovalStep]) -> list[ApprovalStep]:
    """The open steps that ``actor`` decides; empty means "in the place of everybody" (decide_any_approval).

    Raises NotAllowed for anybody else, for people whose turn it is not, and for applicants on their own quote.
    """
    is_superuser = actor.user is not None and actor.user.is_superuser
    if _owns(actor, instance) and not is_superuser:
        raise NotAllowed(_("Applicants cannot decide on their own quotes."), code="own_quote")
    may_decide_own = actor.user is None or actor.may("approvals.decide_approval")
    userid = actor.userid_in(instance.corp_id)
    mine = [step for step in open_steps(steps) if belongs_to(step, userid)]
    if mine and may_decide_own:
        return mine
    if actor.may("approvals.decide_any_approval"):
        return []
    if may_decide_own and any(belongs_to(step, userid) for step in steps):
        raise NotAllowed(_("It is not your turn in this approval."), code="not_your_turn")
    raise NotAllowed(_("You are not an approver of this quote."), code="not_an_approver")


def _owns(actor: Actor, instance: ApprovalInstance) -> bool:
    return actor.user is not None and actor.user.pk in (instance.applicant_id, instance.quote.owner_id)
