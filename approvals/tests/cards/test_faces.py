"""Faces stay within what WeCom shows, whatever a quote holds."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.cards.faces import Stage, cut, digest_of, face_of, with_note
from approvals.cards.facts import Facts
from approvals.models import ApprovalCard, ApprovalInstance, ApprovalStep, ApprovalTimeline

LONG = "很长的文字" * 100
SNAPSHOT = {"title": LONG, "customer_name": LONG, "currency": "CNY", "total": "9999999999999999.99"}


@pytest.fixture(autouse=True)
def _english(settings) -> None:
    settings.LANGUAGE_CODE = "en"
    settings.API_BASE_URL = "https://quotes.example.com"


def facts(status: str = "pending", snapshot: dict[str, Any] | None = None, **more: Any) -> Facts:
    instance = ApprovalInstance(pk=7, third_no="CIS-20260105-0001", status=status, snapshot=snapshot or SNAPSHOT)
    steps = [
        ApprovalStep(node=0, position=0, userid="wang.boss", name=LONG[:60], delegated_to="zhao.vp"),
        ApprovalStep(node=0, position=1, userid="sun.director"),
    ]
    entries = [
        ApprovalTimeline(action="submit", actor=LONG[:150], comment=LONG),
        ApprovalTimeline(action="delegate", actor="wang", comment=LONG, details={"delegate_to": "zhao.vp"}),
        ApprovalTimeline(action="approve", actor=LONG[:150], comment=LONG, channel="wecom"),
    ]
    return Facts(instance=instance, steps=tuple(steps), entries=tuple(entries), **more)


CARD = ApprovalCard(node=0, userids=["zhao.vp"])
LINE_LIMIT = {"keyname": 12, "value": 30}  # advised is 5 for the name, which Chinese keeps and English cannot


@pytest.mark.parametrize("stage", list(Stage))
def test_long_texts_are_cut_to_what_a_card_shows(stage: Stage):
    known = facts("approved" if stage == Stage.RESULT else "pending", earlier={**SNAPSHOT, "total": "0.01"})
    card = face_of(known, CARD, stage).content
    assert len(card["main_title"]["title"]) <= 36
    assert card["main_title"]["title"].startswith("CIS-20260105-0001 ")
    assert len(card["main_title"]["desc"]) <= 44
    assert len(card.get("sub_title_text", "")) <= 160
    lines = card["horizontal_content_list"]
    assert 0 < len(lines) <= 6
    assert all(line["keyname"] and line["value"] for line in lines)
    assert all(len(line[part]) <= longest for line in lines for part, longest in LINE_LIMIT.items())
    assert len(card.get("button_list", [])) <= 6
    assert all(len(button["text"]) <= 10 for button in card.get("button_list", []))
    assert "task_id" not in card


def test_a_card_that_is_not_pressed_has_an_address_to_open(settings):
    for stage in (Stage.LINK, Stage.PASSED, Stage.RESULT):
        card = face_of(facts(), CARD, stage).content
        assert (card["card_type"], card["card_action"]["type"]) == ("text_notice", 1)
        assert card["card_action"]["url"] == "https://quotes.example.com/m/approvals/7"


def test_texts_are_in_the_systems_language(settings):
    settings.LANGUAGE_CODE = "zh-hans"
    assert face_of(facts("approved"), CARD, Stage.RESULT).content["source"]["desc"] == "已通过"


def test_only_stage_and_result_make_another_face():
    assert digest_of(facts(), Stage.PASSED) == digest_of(facts(snapshot={**SNAPSHOT, "total": "1.00"}), Stage.PASSED)
    assert digest_of(facts("approved"), Stage.RESULT) != digest_of(facts("rejected"), Stage.RESULT)
    assert len({digest_of(facts(), stage) for stage in Stage}) == len(Stage)


def test_a_note_takes_the_place_of_the_text():
    face = face_of(facts(), CARD, Stage.WAITING)
    noted = with_note(face, LONG)
    assert noted.content["sub_title_text"] == cut(LONG, 160)
    assert noted.digest == face.digest
