"""Included at the root, before the admin's own addresses: its log-in page gets another view."""

from django.urls import path

from wecom.login.views import come_back, log_in_page, start

app_name = "wecom-login"

urlpatterns = [
    path("wecom/login", start, name="start"),
    path("wecom/login/return", come_back, name="return"),
    path("admin/login/", log_in_page, name="page"),
]
