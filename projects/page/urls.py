"""Addresses of the customer's page. They belong to people: short, and without a slash at the end."""

from __future__ import annotations

from django.urls import path

from projects.page import views

urlpatterns = [
    path("<str:remote_id>", views.page, name="project-page"),
    path("<str:remote_id>/", views.slashed),
    path("<str:remote_id>/refresh", views.refresh, name="project-page-refresh"),
    path("<str:remote_id>/ask", views.ask, name="project-page-ask"),
    path("<str:remote_id>/language", views.language, name="project-page-language"),
]
