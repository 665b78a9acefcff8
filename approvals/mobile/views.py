"""``/m/approvals``: what waits for the visitor, one approval, and the three things that can be done to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from approvals import engine
from approvals.exceptions import EngineError, InvalidInput
from approvals.mobile import choosing, finding, notices
from approvals.mobile.forms import AgreeForm, DelegateForm, RejectForm
from approvals.mobile.guard import guarded
from approvals.mobile.presentation import see
from approvals.mobile.rights import Offer, offer_to
from approvals.mobile.visitors import Visitor
from approvals.models import ApprovalInstance, ApprovalStep
from approvals.money import total_of
from approvals.words import STATUS_TONES, STEP_TONES, moment


@dataclass(frozen=True, slots=True)
class Case:
    """One approval and who looks at it."""

    visitor: Visitor
    instance: ApprovalInstance
    steps: list[ApprovalStep]
    offer: Offer

    @property
    def address(self) -> str:
        return reverse("mobile:approval", args=[self.instance.pk])


CaseView = Callable[[HttpRequest, Case], HttpResponse]


def of_case(view: CaseView) -> Callable[..., HttpResponse]:
    """``view`` for an approval that the visitor may see; what they may not see looks like what is not there."""

    def answer(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
        case = _case(visitor, pk)
        return notices.show(request, notices.NOT_FOUND) if case is None else view(request, case)

    return answer


def _case(visitor: Visitor, pk: int) -> Case | None:
    instance = finding.seen_by(visitor).filter(pk=pk).first()
    if instance is None:
        return None
    steps = list(instance.steps.order_by("node", "position"))
    return Case(visitor, instance, steps, offer_to(visitor, instance, steps))


@guarded("GET")
def mine(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """What waits for the visitor, and what was decided lately."""
    waiting = finding.waiting_for(visitor)
    context = {
        "visitor": visitor,
        "to_start": [_row(instance) for instance in finding.to_start(visitor)],
        "waiting": [_row(instance) for instance in waiting[: finding.MOST_WAITING]],
        "more": len(waiting) > finding.MOST_WAITING,
        "decided": [
            {
                "step": step,
                "tone": STEP_TONES[step.status],
                "at": moment(step.time) if step.time else "",
                **_row(step.instance),
            }
            for step in finding.decided_lately(visitor)
        ],
        "here": reverse("mobile:list"),
    }
    return render(request, "mobile/list.html", context)


def _row(instance: ApprovalInstance) -> dict[str, Any]:
    return {
        "approval": instance,
        "content": instance.snapshot,
        "total": total_of(instance.snapshot),
        "submitted": moment(instance.submitted_at),
        "status_tone": STATUS_TONES[instance.status],
    }


def _page(
    request: HttpRequest, case: Case, *, form: AgreeForm | None = None, refusal: str = "", status: int = 200
) -> HttpResponse:
    """The approval. ``refusal``: why what was pressed did not happen."""
    context = {
        **_about(case),
        "sight": see(case.instance, case.steps),
        "form": form or AgreeForm(initial={"node": case.offer.node}),
        "newer": finding.newer_than(case.instance, case.visitor),
        "refusal": refusal,
        "told": list(messages.get_messages(request)),
    }
    return render(request, "mobile/approval.html", context, status=status)


def _about(case: Case) -> dict[str, Any]:
    """What each page about one approval says."""
    return {**_row(case.instance), "offer": case.offer, "here": case.address}


@guarded("GET")
@of_case
def approval(request: HttpRequest, case: Case) -> HttpResponse:
    """One approval, with what the visitor can do."""
    return _page(request, case)


@guarded("POST")
@of_case
def approve(request: HttpRequest, case: Case) -> HttpResponse:
    """Agree, with or without a comment."""
    form = AgreeForm(request.POST)
    if not form.is_valid():
        return _page(request, case, form=form, status=400)
    instance = case.instance
    try:
        engine.approve(
            instance=instance,
            actor=case.visitor.actor(instance),
            comment=form.cleaned_data["comment"],
            node=form.cleaned_data["node"],
        )
    except EngineError as error:
        return _refused(request, case, error)
    return _done(request, case, _("You agreed."))


@guarded("GET", "POST")
@of_case
def reject(request: HttpRequest, case: Case) -> HttpResponse:
    """Ask for the reason, then reject."""
    form = RejectForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _ask(request, case, "mobile/reject.html", form, may=case.offer.may_decide)
    instance = case.instance
    try:
        engine.reject(instance=instance, actor=case.visitor.actor(instance), reason=form.cleaned_data["reason"])
    except EngineError as error:
        return _refused(request, case, error)
    return _done(request, case, _("You rejected the quote."))


@guarded("GET", "POST")
@of_case
def delegate(request: HttpRequest, case: Case) -> HttpResponse:
    """Look a member up (GET, ``q``), choose one, and let them decide as well."""
    sent = request.POST if request.method == "POST" else None
    wanted = (request.POST if sent else request.GET).get("q", "").strip()[: choosing.LONGEST_WANTED]
    chosen = choosing.colleague(case.instance, sent.get("delegate_to", "")) if sent else None
    form = DelegateForm(sent, offered=[chosen] if chosen else [])
    if chosen is not None and form.is_valid():
        try:
            engine.delegate(instance=case.instance, actor=case.visitor.actor(case.instance), **form.cleaned_data)
        except InvalidInput as error:
            for field, sentences in error.errors.items():
                form.add_error(field, [str(sentence) for sentence in sentences])
        except EngineError as error:
            return _refused(request, case, error)
        else:
            return _done(request, case, _("%(name)s was asked to decide as well.") % {"name": chosen.name})
    found = choosing.search(case.instance, case.steps, wanted)
    more = {"wanted": wanted, "found": found}
    return _ask(request, case, "mobile/delegate.html", form, may=case.offer.may_delegate, **more)


def _ask(request: HttpRequest, case: Case, template: str, form: forms.Form, *, may: bool, **more: Any) -> HttpResponse:
    """A page with a form; where there is nothing (any more) to be asked, the approval says why."""
    if not may:
        return HttpResponseRedirect(case.address)
    context = {**_about(case), "form": form, "stay": request.get_full_path(), **more}
    return render(request, template, context, status=400 if form.errors else 200)


def _refused(request: HttpRequest, case: Case, error: EngineError) -> HttpResponse:
    """The approval as it is now, with the engine's sentence."""
    fresh = _case(case.visitor, case.instance.pk)
    if fresh is None:
        return notices.show(request, notices.NOT_FOUND)
    return _page(request, fresh, refusal=str(error), status=error.status_code)


def _done(request: HttpRequest, case: Case, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return HttpResponseRedirect(case.address)
