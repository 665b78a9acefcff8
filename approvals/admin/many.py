"""Many approvals at once, from a list: what the person is asked, and the batch that comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext, ngettext

from approvals.actors import actor_for
from approvals.admin.forms import CommentForm
from approvals.batches import MOST_AT_ONCE, open_batch
from approvals.exceptions import EngineError
from approvals.models import ApprovalInstance, Batch, Channel, Quote
from approvals.visibility import visible_to
from config.admin_links import page_of
from config.admin_verbs import named
from config.verbs import Refused, Together, VerbForm


class ManyForm(VerbForm):
    """Keeps which approvals the person was asked about. A quote may be revised and submitted anew meanwhile, and nobody
    decides on content they did not choose."""

    approvals = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["approvals"] = ",".join(map(str, _approvals_of(self.targets).values()))

    def clean_approvals(self) -> set[int]:
        return {int(pk) for pk in self.cleaned_data["approvals"].split(",") if pk.isdecimal()}


class ManyWithCommentForm(ManyForm, CommentForm):
    pass


def together(verb: str, form: type[ManyForm]) -> Together:
    """A list's action that opens a batch and leads to its page."""
    return Together(run=partial(_ask, verb), form=form, most=MOST_AT_ONCE)


def _approvals_of(targets: Sequence[Any]) -> dict[int, int]:
    """Target → the approval meant: itself, or a quote's newest. Those without one are missing."""
    if not targets or not isinstance(targets[0], Quote):
        return {target.pk: target.pk for target in targets}
    rows = ApprovalInstance.objects.filter(quote__in=[target.pk for target in targets])
    return dict(rows.order_by("pk").values_list("quote_id", "pk"))


def _ask(verb: str, request: HttpRequest, targets: Sequence[Any], data: dict[str, Any]) -> HttpResponse:
    meant = {target: pk for target, pk in _approvals_of(targets).items() if pk in data["approvals"]}
    seen = set(
        visible_to(request.user, ApprovalInstance.objects.filter(pk__in=meant.values())).values_list("pk", flat=True)
    )
    left_out = [target for target in targets if meant.get(target.pk) not in seen]
    if left_out:
        text = gettext("Left out, because there is no approval to act on, or it has changed meanwhile: %(names)s")
        messages.warning(request, text % {"names": named(left_out)})
    actor = actor_for(request.user, Channel.INTERNAL)
    ids = [meant[target.pk] for target in targets if meant.get(target.pk) in seen]
    try:
        batch = open_batch(verb=verb, ids=ids, actor=actor, comment=data.get("comment", ""))
    except EngineError as error:
        raise Refused(error.detail) from error
    _log(batch)
    return HttpResponseRedirect(page_of(batch))


def _log(batch: Batch) -> None:
    text = ngettext("%(count)d approval", "%(count)d approvals", batch.total) % {"count": batch.total}
    LogEntry.objects.log_actions(batch.actor_id, [batch], ADDITION, text, single_object=True)
