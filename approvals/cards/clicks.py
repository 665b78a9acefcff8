"""Presses on cards: each is an event of the inbox, acts at most once, and is answered on the card."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.dispatch import receiver

from approvals import engine
from approvals.actors import Actor
from approvals.cards import codes as card_codes
from approvals.cards import refusals
from approvals.cards.faces import AGREE
from approvals.exceptions import EngineError
from approvals.models import ApprovalCard, ApprovalTimeline, CardCode, CardState, Channel, Outcome
from approvals.record import renew_cards, write_entry
from wecom.card_events import CardClick
from wecom.directory import name_of
from wecom.models import CallbackEvent, Member, WeComConfig
from wecom.signals import card_clicked


@receiver(card_clicked, dispatch_uid="approvals.take_in_click")
def take_in(click: CardClick, event: CallbackEvent, **_kwargs: Any) -> str:
    """Agree in the name of who pressed, or note why not. Returns an outcome word; nothing for a card of others.

    A refusal is an entry of the timeline and a sentence on the card of who pressed, and has no other effect.
    """
    related = ApprovalCard.objects.select_related("instance__quote")
    card = related.filter(task_id=click.task_id, instance__config=click.config_id).first()
    if card is None:
        return ""
    if ApprovalTimeline.objects.filter(event_id=event.key).exists():
        return str(Outcome.UNCHANGED)
    actor = _actor(click)
    with transaction.atomic(savepoint=False):
        # who presses has the card, even if the answer to its sending was lost
        ApprovalCard.objects.filter(pk=card.pk, state=CardState.QUEUED).update(state=CardState.LIVE, sent_at=click.at)
        code = card_codes.keep(card, click.response_code, got_at=click.at, clicked_by=click.userid)
        reason = _agree(click, card, actor, event.key)
        if reason:
            _refuse(card, actor, reason, event.key, code)
    return str(Outcome.REFUSED if reason else Outcome.APPLIED)


def _actor(click: CardClick) -> Actor:
    """Who pressed, with the user that they are linked to in whichever of the company's apps: rights are the user's."""
    company = WeComConfig.objects.filter(pk=click.config_id).values("corp_id")
    rows = Member.objects.current().filter(config__corp_id__in=company, userid__iexact=click.userid)
    member = min(rows.select_related("user"), key=lambda row: row.user_id is None, default=None)
    return Actor(
        channel=Channel.WECOM,
        user=member.user if member else None,
        userid=click.userid,
        name=name_of(click.userid, config_id=click.config_id),
    )


def _agree(click: CardClick, card: ApprovalCard, actor: Actor, event_id: str) -> str:
    """Returns why not (a key of ``refusals.SENTENCES``), or nothing.

    The card speaks for one node of the chain: a second press, delivered late, must not agree in a later one.
    """
    if click.key != AGREE:
        return "unknown_button"
    if click.userid.casefold() not in {userid.casefold() for userid in card.userids}:
        return "not_your_card"
    try:
        engine.approve(instance=card.instance, actor=actor, event_id=event_id, node=card.node)
    except EngineError as error:
        return refusals.reason_of(error, card, click.userid)
    return ""


def _refuse(card: ApprovalCard, actor: Actor, reason: str, event_id: str, code: CardCode | None) -> None:
    card.instance.refresh_from_db(fields=["status"])
    entry = write_entry(
        card.instance,
        actor=actor,
        action="press",
        outcome=Outcome.REFUSED,
        from_status=card.instance.status,
        event_id=event_id,
        details={"refused": reason},
    )
    if code is not None:
        renew_cards(card.instance, entry, code=code.pk, note=refusals.sentence(reason))
