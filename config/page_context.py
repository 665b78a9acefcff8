"""What the page of one object shows besides its form."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin


class PageContext(ModelAdmin):
    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """More variables for the templates of ``obj``'s page."""
        return {}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context |= self.page_context(request, obj)
        response: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)
        return response
