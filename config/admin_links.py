"""Ways from one page of the admin to another."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def page_of(obj: Any) -> str:
    """Address of an object's page in admin."""
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def link_to(obj: Any, text: str = "") -> SafeString | str:
    """A link to an object's page; nothing for None."""
    if obj is None:
        return ""
    return format_html('<a class="text-link" href="{}">{}</a>', page_of(obj), text or obj)
