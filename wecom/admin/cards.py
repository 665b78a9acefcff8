"""WeCom's numbers on the admin's first page."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.dashboard import Kind, Panel, register_cards, register_panels
from wecom.admin.quota import panel_context
from wecom.models import Member

register_cards(
    Kind(
        label=_("Suggested staff users"),
        permission="wecom.change_member",
        rows=lambda _user: Member.objects.current().filter(user=None, suggested_user__isnull=False),
        changelist="wecom_member",
        query="link=suggested&presence=current",
        icon="how_to_reg",
        tone="info",
    ),
    place=40,
)
register_panels(
    Panel(
        title=_("Calls to WeCom"),
        permission="wecom.view_directorysyncrun",
        template="wecom/quota_panel.html",
        content=panel_context,
        page="wecom_directorysyncrun_quota",
        leads=_("Quota"),
    ),
    place=40,
)
