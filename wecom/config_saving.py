"""Saving and deleting an app, the same for the admin and the REST API."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.admin.utils import model_ngettext
from django.db import transaction
from django.utils.translation import gettext as _

from wecom.configs import forget_credentials
from wecom.errcodes import Text
from wecom.models import CapabilityResult, WeComConfig

CALLBACK_PAIRS = ("callback_token", "encoding_aes_key", "next_callback_token", "next_encoding_aes_key")
IDENTITY = (
    *("corp_id", "agent_id", "secret", "contact_secret", "template_id", "enabled", "slug", "is_default"),
    *(*CALLBACK_PAIRS, "contact_callback_token", "contact_encoding_aes_key"),
)
"""What the findings of the probe are about; with another one of these they are about another app."""
NOTED = ("last_callback_at", "last_credential")
"""Columns that workers write (``wecom.last_callback``) and whoever saves an app has read long ago."""


class InUse(Exception):
    """The app has rows that need it. ``sentence``: which, and what to do instead."""

    def __init__(self, sentence: Text) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


def lock_all() -> None:
    """Before an app is read that will be saved; in the transaction that saves it. All are locked, in one order, as
    marking one as the default changes another."""
    list(WeComConfig.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def save_config(config: WeComConfig) -> bool:
    """Save an app, read after ``lock_all``; one that is the default takes the mark from the other. True when it has to
    be probed anew."""
    with transaction.atomic():
        lock_all()
        before = WeComConfig.objects.filter(pk=config.pk).first()
        if config.is_default:
            WeComConfig.objects.filter(is_default=True).exclude(pk=config.pk).update(is_default=False)
        if before is None:
            config.save()
            changed = True
        else:
            changed = _save_changes(config, before)
        if changed:
            config.capabilities.all().delete()
    forget_credentials()
    return changed


def _save_changes(config: WeComConfig, before: WeComConfig) -> bool:
    columns = {field.name for field in config._meta.concrete_fields if not field.primary_key} - {*NOTED}
    if _differ(config, before, CALLBACK_PAIRS):
        config.last_credential = ""  # it is about the pairs as they were
        columns.add("last_credential")
    config.save(update_fields=columns)
    return _differ(config, before, IDENTITY)


def _differ(config: WeComConfig, before: WeComConfig, names: Iterable[str]) -> bool:
    return any(getattr(before, name) != getattr(config, name) for name in names)


def delete_config(config: WeComConfig) -> None:
    """Raises InUse."""
    with transaction.atomic():
        if users := users_of(config):
            raise InUse(in_use_sentence(users))
        config.delete()
    forget_credentials()


def users_of(config: WeComConfig) -> dict[str, int]:
    """What would be lost with the app, or forbids that it goes: kind of row → how many."""
    found: dict[str, int] = {}
    for relation in config._meta.related_objects:
        model = relation.related_model
        if model is CapabilityResult or isinstance(model, str):
            continue
        rows = model._base_manager.filter(**{relation.field.name: config})
        if count := rows.count():
            found[model_ngettext(model._meta, count)] = count
    return found


def in_use_sentence(users: dict[str, int]) -> Text:
    named = _(", ").join(f"{count} {name}" for name, count in users.items())
    return _("This app is needed by %(users)s. Disable it instead of deleting it.") % {"users": named}
