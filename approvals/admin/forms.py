"""What the verbs ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from approvals import chain, rules
from approvals.admin.chain_form import chain_in_words
from approvals.admin.fields import UseridField, UseridsField
from approvals.models import Flow, Quote
from config.verbs import VerbForm
from wecom.directory import names_of

COMMENT = _("comment")


def _comment(label: Any = COMMENT, *, required: bool = False) -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
    return forms.CharField(label=label, required=required, max_length=rules.LONGEST_COMMENT, widget=widget)


class CommentForm(VerbForm):
    comment = _comment()


class ReasonForm(VerbForm):
    reason = _comment(_("reason"), required=True)


class SubmitForm(VerbForm):
    flow = forms.ChoiceField(
        label=_("flow"),
        required=False,
        choices=[("", _("As the approval rules say")), *Flow.choices],
        widget=UnfoldAdminSelectWidget(),
    )
    approvers = UseridsField(label=_("approvers"), required=False)
    comment = _comment()

    def __init__(self, *args: Any, targets: Sequence[Quote], **kwargs: Any) -> None:
        super().__init__(*args, targets=targets, **kwargs)
        if len(targets) == 1:
            self.fields["flow"].help_text = _plan_in_words(targets[0])


def _plan_in_words(quote: Quote) -> str:
    rule = rules.matching_rule(quote)
    if rule is None:
        return str(_("No approval rule matches: the WeCom template's own flow decides who approves."))
    nodes = chain.read(rule.chain)
    names = names_of(chain.everybody(nodes), config_id=rule.config_id)
    return str(_("Rule “%(rule)s”: %(flow)s, %(people)s.")) % {
        "rule": rule.name,
        "flow": rule.get_flow_display(),
        "people": chain_in_words(nodes, names) or _("the flow set up in the template"),
    }


class DelegateForm(VerbForm):
    delegate_to = UseridField(label=_("delegate to"))
    comment = _comment()
