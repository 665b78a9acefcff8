"""What notifications tell about, as links. ``Notification.about`` is a word and a number: ``project-change:12``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib import admin
from django.urls import reverse

SUBJECTS = {
    "project-change": ("projects.ProjectStatusChange", ("remote_id", "old_status", "new_status")),
    "project": ("projects.ProjectCache", ("remote_id", "title")),
    "incident": ("notifications.Incident", ("title", "words")),
}
"""Word → model, and the columns that its name is made of. The models live in apps that this one does not know."""


class Page(NamedTuple):
    name: str
    address: str
    """In admin."""


def pages_of(abouts: Iterable[str]) -> dict[str, Page]:
    """The pages that ``abouts`` lead to; those that lead nowhere (any more) are left out. One query per word."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for about in abouts:
        word, _colon, number = about.partition(":")
        if word in SUBJECTS and number.isdecimal():
            wanted[word].add(int(number))
    return {f"{word}:{pk}": page for word, pks in wanted.items() for pk, page in _pages(word, pks)}


def _pages(word: str, pks: Iterable[int]) -> Iterable[tuple[int, Page]]:
    label, columns = SUBJECTS[word]
    try:
        model: Any = apps.get_model(label)
    except LookupError:
        return
    if not admin.site.is_registered(model):
        return
    view = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    for row in model._default_manager.filter(pk__in=pks).only(*columns):
        yield row.pk, Page(str(row), reverse(view, args=[row.pk]))
