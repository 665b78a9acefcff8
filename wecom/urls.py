"""The callback addresses. Both spellings of each are served as they are: WeCom does not follow redirects."""

from django.urls import path

from wecom.views import callback

app_name = "wecom"

urlpatterns = [
    path("callback", callback, name="callback"),
    path("callback/", callback),
    path("callback/<slug:slug>", callback, name="callback-of-app"),
    path("callback/<slug:slug>/", callback),
]
