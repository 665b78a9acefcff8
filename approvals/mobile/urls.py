"""Included under ``/m/``. Addresses belong to people: short, and without a slash at the end."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from approvals.mobile import engine_start, views

app_name = "mobile"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="mobile:list")),
    path("approvals", views.mine, name="list"),
    path("approvals/<int:pk>", views.approval, name="approval"),
    path("approvals/<int:pk>/approve", views.approve, name="approve"),
    path("approvals/<int:pk>/reject", views.reject, name="reject"),
    path("approvals/<int:pk>/delegate", views.delegate, name="delegate"),
    path("approvals/<int:pk>/start", engine_start.start, name="start"),
    path("approvals/<int:pk>/start/signatures", engine_start.signatures, name="signatures"),
]
