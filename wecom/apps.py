from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WeComAppConfig(AppConfig):
    name = "wecom"
    verbose_name = _("WeCom")
