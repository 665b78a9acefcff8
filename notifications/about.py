"""What a notification tells about, as a link. ``Notification.about`` is a word and a number: ``project-change:12``."""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin
from django.urls import reverse
from django.utils.text import capfirst

SUBJECTS = {
    "project-change": "projects.ProjectStatusChange",
    "project": "projects.ProjectCache",
    "incident": "notifications.Incident",
}
"""Word → model, named as in the sidebar: the models live in apps that this one does not know."""


def page_of(about: str) -> tuple[str, str]:
    """What it is called, and the address of its page in admin; both empty when there is none."""
    word, _colon, number = about.partition(":")
    if word not in SUBJECTS or not number.isdigit():
        return "", ""
    try:
        model = apps.get_model(SUBJECTS[word])
    except LookupError:
        return "", ""
    if not admin.site.is_registered(model):
        return "", ""
    meta = model._meta
    return f"{capfirst(str(meta.verbose_name))} {number}", reverse(
        f"admin:{meta.app_label}_{meta.model_name}_change", args=[number]
    )
