from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("api/", include("projects.api.urls")),
    path("project/", include("projects.page.urls")),
]
