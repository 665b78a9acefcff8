"""Every URL of the site; DESIGN: no trailing slashes outside the admin."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import JavaScriptCatalog
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

from config import health, metrics_page

handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

urlpatterns = [
    path("wecom/", include("wecom.urls")),  # first: tried in this order, and nothing is called as often
    path("", include("wecom.login.urls")),  # before the admin, whose log-in page it replaces
    path("", RedirectView.as_view(pattern_name="admin:index")),
    # before Django's own, which reads its own catalogue only: texts that this one lacks are in locale/vendor
    path("admin/jsi18n/", admin.site.admin_view(JavaScriptCatalog.as_view(), cacheable=True)),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("health", health.live, name="health"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", metrics_page.metrics, name="metrics"),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", login_required(SpectacularSwaggerSplitView.as_view(url_name="schema")), name="docs"),
    path(
        "api/redoc",
        login_required(SpectacularRedocView.as_view(url_name="schema", template_name="redoc.html")),
        name="redoc",
    ),
    path("api/wework/", include("wecom.api.urls")),
    path("", include("approvals.urls")),
    path("", include("projects.urls")),
]
