"""The clean address of a project's page: what a browser shows, and the path of the cookie."""

from __future__ import annotations

from django.urls import reverse


def page_address(remote_id: str) -> str:
    """Percent-encoded. A semicolon, too, which addresses may hold and cookies' paths may not."""
    return reverse("project-page", args=[remote_id]).replace(";", "%3B")
