"""The forms of what operators choose; checked as over REST."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from projects import schedule
from projects.models import ProjectSyncConfig, ProjectType, Role, TimeDisplayConfig
from projects.settings_rules import CHANNELS, check_cron, check_time_format, check_time_zone


class SyncConfigForm(forms.ModelForm):
    auto_sync_enabled = forms.BooleanField(
        label=_("Synchronise on schedule"), required=False, widget=UnfoldBooleanSwitchWidget()
    )
    sync_types = forms.MultipleChoiceField(
        label=_("Project types"), choices=ProjectType.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )
    notify_channels = forms.MultipleChoiceField(
        label=_("Channels"),
        choices=CHANNELS,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("WeCom reaches members of the company only; customers are reached by SMS and email."),
    )
    phone_visible_to = forms.MultipleChoiceField(
        label=_("Links that show phone numbers"),
        choices=Role.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("Roles whose links show a customer's number in full."),
    )

    class Meta:
        model = ProjectSyncConfig
        fields = (
            "sync_frequency",
            "cron_expression",
            "cache_ttl",
            "sync_types",
            "notify_on_change",
            "notify_channels",
            "quiet_from",
            "quiet_until",
            "phone_visible_to",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plan = schedule.read()
        self.initial["auto_sync_enabled"] = plan.enabled
        frequency, own = schedule.as_shown(self.instance, plan)
        self.initial["sync_frequency"], self.initial["cron_expression"] = frequency, own
        for name in ("sync_frequency", "cron_expression"):
            if name in self.fields:
                self.fields[name].validators.append(check_cron)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if (data.get("quiet_from") is None) != (data.get("quiet_until") is None):
            self.add_error("quiet_until", _("Give both ends of the quiet hours, or none."))
        return data


class TimeDisplayForm(forms.ModelForm):
    class Meta:
        model = TimeDisplayConfig
        fields = ("aftersales_time_format", "sales_time_format", "show_payment_time", "timezone")
        widgets = {
            "timezone": UnfoldAdminTextInputWidget(attrs={"placeholder": "Asia/Shanghai"}),
            "show_payment_time": UnfoldBooleanSwitchWidget(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        checks = {"aftersales_time_format": check_time_format, "sales_time_format": check_time_format}
        for name, check in {**checks, "timezone": check_time_zone}.items():
            if name in self.fields:
                self.fields[name].validators.append(check)
