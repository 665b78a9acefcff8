"""Saving and deleting an app, the same for the admin and the REST API."""

from __future__ import annotations

from django.contrib.admin.utils import model_ngettext
from django.db import transaction
from django.utils.translation import gettext as _

from wecom.configs import forget_credentials
from wecom.errcodes import Text
from wecom.models import CapabilityResult, WeComConfig

IDENTITY = (
    *("corp_id", "agent_id", "secret", "template_id", "enabled", "slug", "is_default"),
    *("callback_token", "encoding_aes_key", "next_callback_token", "next_encoding_aes_key"),
)
"""What the findings of the probe are about; with another one of these they are about another app."""


class InUse(Exception):
    """The app has rows that need it. ``sentence``: which, and what to do instead."""

    def __init__(self, sentence: Text) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


def save_config(config: WeComConfig) -> bool:
    """Save an app; one that is the default takes the mark from the other. True when it has to be probed anew."""
    with transaction.atomic():
        if config.is_default:
            WeComConfig.objects.filter(is_default=True).exclude(pk=config.pk).update(is_default=False)
        before = WeComConfig.objects.filter(pk=config.pk).first()
        config.save()
        changed = before is None or any(getattr(before, name) != getattr(config, name) for name in IDENTITY)
        if changed:
            config.capabilities.all().delete()
    forget_credentials()
    return changed


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
