from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("api/", include("approvals.api.urls")),
    path("m/", include("approvals.mobile.urls")),
]
