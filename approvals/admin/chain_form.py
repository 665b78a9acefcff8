"""The steps of a chain as fields of a form, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from approvals import chain
from approvals.admin.fields import UseridsField, lazy_capfirst
from approvals.chain import Chain, Node
from approvals.models import Relation

MOST_SHOWN = 5
"""Steps that the form offers. Longer chains come by REST only, and no company was seen to have one."""


def step_field(number: int) -> str:
    return f"step_{number}"


def _relation_field(number: int) -> str:
    return f"relation_{number}"


STEP_FIELDS = tuple((step_field(number), _relation_field(number)) for number in range(1, MOST_SHOWN + 1))


def _people(number: int) -> UseridsField:
    return UseridsField(label=format_lazy(_("Step {number}"), number=number), required=False, help_text="")


def _relation() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=lazy_capfirst(_("how they agree")),
        choices=Relation.choices,
        initial=Relation.ALL,
        widget=UnfoldAdminSelectWidget(),
    )


class ChainForm(forms.ModelForm):
    """A form of a model with a ``chain``; empty steps are left out."""

    step_1, relation_1 = _people(1), _relation()
    step_2, relation_2 = _people(2), _relation()
    step_3, relation_3 = _people(3), _relation()
    step_4, relation_4 = _people(4), _relation()
    step_5, relation_5 = _people(5), _relation()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chain_errors = False
        for number, node in enumerate(chain.read(self.instance.chain), start=1):
            self.initial[step_field(number)] = list(node.userids)
            self.initial[_relation_field(number)] = node.relation

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        self.chain_errors = any(name in self.errors for pair in STEP_FIELDS for name in pair)
        if self.fields.keys() & {step_field(1)}:  # absent where the page is only read
            nodes = [Node(tuple(data[who]), data[how]) for who, how in STEP_FIELDS if data.get(who) and data.get(how)]
            self.instance.chain = chain.stored(tuple(nodes))
        return data


def chain_in_words(nodes: Chain, names: Mapping[str, str]) -> str:
    """``names``: folded userid → name."""
    return " → ".join(_node_in_words(node, names) for node in nodes)


def _node_in_words(node: Node, names: Mapping[str, str]) -> str:
    people = gettext(", ").join(names.get(userid.casefold(), userid) for userid in node.userids)
    if len(node.userids) == 1:
        return people
    return gettext("%(people)s (%(how)s)") % {"people": people, "how": Relation(node.relation).label}
