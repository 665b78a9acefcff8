"""Who is alerted, and about what. Addresses hold keys: they go in and never come out again."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from config.admin_verbs import VerbsMixin
from config.durable import NotYet, PermanentFailure, TemporaryFailure
from config.sealed import SealBroken, Sealed
from config.secret_fields import SecretField, keep_stored, mask_stored
from config.verbs import Refused, Verb
from notifications.alert_addresses import open_address
from notifications.alert_rules import rule_of
from notifications.alerts import NAME
from notifications.channels.alert import send_alert
from notifications.models import AlertAddress, AlertRule
from notifications.senders import Alert, UnknownAddress, sender_for


def _send_test(request: HttpRequest, address: AlertAddress, _data: dict[str, Any]) -> str:
    """At once and not through the queue: the person waits to see whether it works."""
    title = _("a test")
    person = request.user.get_full_name() or request.user  # type: ignore[union-attr]
    text = _("%(person)s pressed “Send a test”. Alerts will look like this.") % {"person": person}
    try:
        send_alert(open_address(address), Alert("test", f"{NAME}: {title}", text))
    except (PermanentFailure, TemporaryFailure, NotYet) as error:
        raise Refused(str(error)) from error
    return _("The test was sent: look whether it has arrived.")


SEND_TEST = Verb(
    name="send-test",
    label=gettext_lazy("Send a test"),
    question=gettext_lazy("Send a message to this address now?"),
    done=gettext_lazy("The test was sent: look whether it has arrived."),
    run=_send_test,
    permissions=("notifications.change_alertaddress",),
    icon="send",
    atomic=False,
    in_lists=False,
)


class AddressForm(forms.ModelForm):
    class Meta:
        model = AlertAddress
        fields = ("name", "url", "enabled")
        field_classes: ClassVar[dict[str, Any]] = {"url": SecretField}
        help_texts: ClassVar[dict[str, Any]] = {
            "url": gettext_lazy(
                "The https address of a robot of WeCom, DingTalk or Feishu, of any webhook, or an Apprise address. A "
                "robot's signing secret is appended as ?secret=… or &secret=…. It contains a key: kept sealed, and "
                "never shown again."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mask_stored(self, ("url",), required=("url",))

    def clean_url(self) -> str:
        url: str = (self.cleaned_data.get("url") or "").strip()
        if url:
            try:
                sender_for(url)
            except UnknownAddress as error:
                raise forms.ValidationError(str(error)) from None
        return url

    def clean(self) -> dict[str, Any]:
        super().clean()
        if "url" in self.cleaned_data:
            keep_stored(self, ("url",))
        return self.cleaned_data


@admin.register(AlertAddress)
class AlertAddressAdmin(VerbsMixin, ModelAdmin):
    when_empty = _("Incidents are told to the addresses in ALERT_URLS, and to those that are added here.")
    form = AddressForm
    verbs = (SEND_TEST,)
    list_display = ("name", "goes_to", "enabled", "created_at")
    list_filter = ("enabled",)
    search_fields = ("name",)
    fields = ("name", "url", "goes_to", "enabled")
    readonly_fields = ("goes_to",)

    @admin.display(description=gettext_lazy("goes to"))
    def goes_to(self, address: AlertAddress) -> str:
        """The kind of address and its host, never its key."""
        if address._state.adding:
            return "–"
        try:
            return _shown(address.url)
        except SealBroken:
            return _("cannot be opened: enter it again")
        except UnknownAddress:
            return _("nobody sends to such an address: enter it again")


def _shown(sealed: Sealed) -> str:
    url = sealed.reveal()
    sender = sender_for(url)
    return f"{sender.label} · {sender.shown(urlsplit(url))}"


@admin.register(AlertRule)
class AlertRuleAdmin(ModelAdmin):
    """One row for each thing that is watched: people change the threshold or switch it off."""

    list_display = ("__str__", "threshold", "counted", "enabled")
    list_editable = ("threshold", "enabled")
    fields = ("kind", "threshold", "counted", "enabled")
    readonly_fields = ("kind", "counted")

    @admin.display(description=gettext_lazy("counts"))
    def counted(self, row: AlertRule) -> str:
        rule = rule_of(row.kind)
        return str(rule.unit) if rule else "–"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AlertRule | None = None) -> bool:
        return False
