"""What a verb of the admin is: the declaration. ``config.admin_verbs`` offers it and carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.text import capfirst
from unfold.enums import ActionVariant

Text = str | Promise


class Refused(Exception):
    """The verb cannot be done to this object. ``sentence``: why; ``errors``: form field → sentences."""

    def __init__(self, sentence: Text, errors: Mapping[str, Sequence[Text]] | None = None) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence
        self.errors = dict(errors or {})


class VerbForm(forms.Form):
    """What a verb asks. ``targets``: the objects it will be done to; ``request``: who asks."""

    def __init__(self, *args: Any, targets: Sequence[Model], request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.targets = targets
        self.request = request
        for field in self.fields.values():
            field.label = capfirst(field.label)


def _always(_request: HttpRequest, _obj: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Together:
    """How a list's action is carried out for all selected objects together, instead of one after the other while the
    browser waits."""

    run: Callable[[HttpRequest, Sequence[Any], dict[str, Any]], HttpResponse]
    """``run(request, objects, cleaned_data)``: what the person sees next; raises Refused. It writes the log itself."""
    form: type[VerbForm]
    most: int
    """Objects one action takes."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that a person can do to an object."""

    name: str
    """The page's path and the action's name."""
    label: Text
    question: Text
    """Asked on the confirmation page."""
    done: Text
    """Sentence for the log and the message."""
    run: Callable[[HttpRequest, Any, dict[str, Any]], str | HttpResponse | None]
    """``run(request, obj, cleaned_data)``; raises Refused. A returned sentence takes the place of ``done``; a returned
    response is what the person sees next, instead of the object's page (verbs that are not ``in_lists``)."""
    permissions: tuple[str, ...]
    """Any of these lets a person see the button."""
    icon: str
    fits: Callable[[HttpRequest, Any], bool] = _always
    """Whether it would be accepted for this person and object now."""
    form: type[VerbForm] = VerbForm
    variant: ActionVariant = ActionVariant.DEFAULT
    atomic: bool = True
    """False for verbs that talk to the network: no transaction is held open meanwhile."""
    in_lists: bool = True
    asks_in_lists: bool = True
    """False: the action over a list acts at once, without a page in between."""
    together: Together | None = None

    @property
    def action(self) -> str:
        """Its name as an action of the list."""
        return self.name.replace("-", "_")

    def allowed(self, user: Any) -> bool:
        return any(user.has_perm(permission) for permission in self.permissions)
