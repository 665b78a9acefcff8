"""The dashboard and the alert rules under docs/ name nothing that /metrics does not tell, and leave nothing out."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.test import Client

from config.testing.metrics import parsed

DOCS = Path(settings.BASE_DIR) / "docs"
RULES = DOCS / "alert-rules.yml"
DASHBOARD = DOCS / "grafana" / "quotebridge.json"
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
GROUPED = re.compile(r"\bby \(([^)]*)\)")


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"])


def shown() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", [])]


def names(expressions: list[str]) -> set[str]:
    return set(re.findall(r"quotebridge_\w+", " ".join(expressions)))


@pytest.fixture
def told(transactional_db: None, client: Client) -> dict[str, set[str]]:
    """Every family of /metrics → the names of its samples, on an empty system."""
    families = parsed(client.get("/metrics").content.decode())
    return {name: {name + suffix for suffix in SUFFIXES[family.type]} for name, family in families.items()}


@pytest.mark.parametrize("expressions", [shown, lambda: [rule["expr"] for rule in rules()]], ids=["dashboard", "rules"])
def test_every_name_is_one_that_is_told(told: dict[str, set[str]], expressions: Any):
    used = names(expressions())
    assert len(used) > 10
    assert used - set().union(*told.values()) == set()


def test_the_dashboard_shows_every_metric(told: dict[str, set[str]]):
    used = names(shown())
    assert {name for name, samples in told.items() if not samples & used} == set()


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]):
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"] and rule["annotations"]["description"]
    assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))
    kept = {label for match in GROUPED.findall(rule["expr"]) for label in re.findall(r"[a-z_]+", match)}
    said = " ".join(rule["annotations"].values())
    assert set(re.findall(r"\$labels\.(\w+)", said)) <= kept
    for opening, closing in ("()", "{}", "[]"):
        assert rule["expr"].count(opening) == rule["expr"].count(closing)


def test_alerts_are_named_once():
    found = [rule["alert"] for rule in rules()]
    assert len(found) == len(set(found))


def test_the_dashboard_can_be_imported_anywhere():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    variable = dashboard["templating"]["list"][0]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")
    for panel in panels():
        for place in (panel, *panel.get("targets", [])):
            assert panel["type"] == "row" or place["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_no_two_panels_overlap():
    places = [panel["gridPos"] for panel in panels()]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, two in combinations(places, 2):
        beside = one["x"] + one["w"] <= two["x"] or two["x"] + two["w"] <= one["x"]
        below = one["y"] + one["h"] <= two["y"] or two["y"] + two["h"] <= one["y"]
        assert beside or below, (one, two)
