"""Sentences that are stored and read in each reader's language."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy

from notifications.incidents import raise_incident
from notifications.models import Incident
from notifications.phrases import Phrase

NAMED = Phrase("%(what)s gave up: %(count)d", what=Phrase.of(gettext_lazy("incidents")), count=3)


def test_it_survives_being_stored() -> None:
    stored = json.loads(json.dumps(NAMED.as_json()))
    with translation.override("en"):
        assert str(Phrase.from_json(stored)) == "incidents gave up: 3"


def test_each_reader_gets_their_own_language() -> None:
    name = Phrase.of(gettext_lazy("incidents"))
    with translation.override("zh-hans"):
        chinese = str(name)
    with translation.override("en"):
        assert str(name) == "incidents"
    assert chinese != "incidents"


def test_it_is_made_the_same_whatever_language_is_active() -> None:
    with translation.override("zh-hans"):
        assert Phrase.of(gettext_lazy("incidents")).as_json() == {"sentence": "incidents", "gaps": {}}


def test_a_percent_sign_without_gaps_is_one() -> None:
    assert str(Phrase("100 %")) == "100 %"
    assert str(Phrase("")) == ""


@pytest.mark.django_db
class TestIncidents:
    def test_the_columns_are_in_the_sites_language_whoever_caused_it(self) -> None:
        with translation.override("en"):
            incident = raise_incident("x", title=Phrase.of(gettext_lazy("incidents")))
            assert str(incident) == "incidents"
        with translation.override(settings.LANGUAGE_CODE):
            assert Incident.objects.get().title == str(incident)
        assert incident.title != "incidents"

    def test_plain_words_stay_as_they_were_written(self) -> None:
        incident = raise_incident("x", title="磁盘已满")
        with translation.override("en"):
            assert incident.said("title") == "磁盘已满"

    def test_new_words_replace_old_ones_of_either_kind(self) -> None:
        raise_incident("x", title="t", detail=Phrase("the first"))
        assert raise_incident("x", title="t", detail="the second").said("detail") == "the second"
        assert raise_incident("x", title="t", detail=Phrase("the third")).said("detail") == "the third"
