"""The verbs of quotes and approvals. Each calls one function of the engine; the engine decides, also about rights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from approvals import engine, permissions, quotes
from approvals.actors import Actor, actor_for
from approvals.admin.conflicts import CloseConflictForm
from approvals.admin.forms import CommentForm, DelegateForm, ReasonForm, SubmitForm
from approvals.admin.many import ManyForm, ManyWithCommentForm, together
from approvals.admin.sync import sync_now
from approvals.exceptions import EngineError, InvalidInput
from approvals.models import ApprovalInstance, BatchVerb, Channel, Quote
from approvals.sync_request import can_sync
from approvals.transitions import LOCAL, REVISABLE, SUBMITTABLE
from config.verbs import Refused, Verb

Data = dict[str, Any]
DECIDE = ("approvals.decide_approval", "approvals.decide_any_approval")


def acting(request: HttpRequest) -> Actor:
    """Who acts in this request; looked up once."""
    known: Actor | None = getattr(request, "acting_person", None)
    if known is None:
        known = request.acting_person = actor_for(request.user, Channel.INTERNAL)  # type: ignore[attr-defined]
    return known


def latest_approval(quote: Quote) -> ApprovalInstance | None:
    """The quote's newest approval, looked up once per object."""
    if "latest_approval" not in quote.__dict__:
        rows = quote.approvals.select_related("applicant", "quote__owner").order_by("-pk")
        quote.__dict__["latest_approval"] = rows.first()
    found: ApprovalInstance | None = quote.__dict__["latest_approval"]
    return found


def _refusing(call: Callable[[Any, Actor, Data], object]) -> Callable[[HttpRequest, Any, Data], None]:
    """``call`` with the engine's refusals turned into sentences for the person."""

    def run(request: HttpRequest, obj: Any, data: Data) -> None:
        try:
            call(obj, acting(request), data)
        except InvalidInput as error:
            raise Refused(error.detail, error.errors) from error
        except EngineError as error:
            raise Refused(error.detail) from error

    return run


def _of_quote(call: Callable[[ApprovalInstance, Actor, Data], object]) -> Callable[[HttpRequest, Any, Data], None]:
    """``call`` applied to the newest approval of a quote."""

    def run(quote: Quote, actor: Actor, data: Data) -> None:
        instance = latest_approval(quote)
        if instance is None:
            raise Refused(_("This quote has not been submitted."))
        call(instance, actor, data)

    return _refusing(run)


def _granted(check: Callable[..., object], *args: Any) -> bool:
    try:
        check(*args)
    except EngineError:
        return False
    return True


def may_decide(request: HttpRequest, instance: ApprovalInstance | None) -> bool:
    if instance is None or instance.status not in LOCAL["approve"]:
        return False
    return _granted(permissions.deciding_steps, acting(request), instance, list(instance.steps.all()))


def _may_delegate(request: HttpRequest, instance: ApprovalInstance) -> bool:
    return instance.steps.exists() and may_decide(request, instance)


def may_withdraw(request: HttpRequest, instance: ApprovalInstance | None) -> bool:
    if instance is None or instance.status not in LOCAL["withdraw"]:
        return False
    return _granted(permissions.require_applicant, acting(request), instance)


def _may_remind(request: HttpRequest, instance: ApprovalInstance) -> bool:
    return instance.status in LOCAL["remind"] and _granted(permissions.require_applicant, acting(request), instance)


def _can_sync_quote(quote: Quote) -> bool:
    instance = latest_approval(quote)
    return instance is not None and can_sync(instance)


def _may_submit(request: HttpRequest, quote: Quote) -> bool:
    mine = _granted(permissions.require_own_quote, acting(request), quote, "approvals.submit_quote")
    return mine and quote.approval_status in SUBMITTABLE


def _may_revise(request: HttpRequest, quote: Quote) -> bool:
    mine = _granted(permissions.require_own_quote, acting(request), quote, "approvals.change_quote")
    return mine and quote.approval_status in REVISABLE


def _approve(instance: ApprovalInstance, actor: Actor, data: Data) -> None:
    engine.approve(instance=instance, actor=actor, comment=data["comment"])


def _reject(instance: ApprovalInstance, actor: Actor, data: Data) -> None:
    engine.reject(instance=instance, actor=actor, reason=data["reason"])


def _withdraw(instance: ApprovalInstance, actor: Actor, data: Data) -> None:
    engine.withdraw(instance=instance, actor=actor, comment=data["comment"])


def _submit(quote: Quote, actor: Actor, data: Data) -> None:
    engine.submit(
        quote=quote,
        actor=actor,
        flow=data["flow"] or None,
        approvers=data["approvers"] or None,
        comment=data["comment"],
    )


def _sync_quote(_request: HttpRequest, quote: Quote, _data: Data) -> str:
    instance = latest_approval(quote)
    if instance is None or not can_sync(instance):
        raise Refused(_("WeCom holds no approval of this quote."))
    return sync_now(instance)


def _sync_approval(_request: HttpRequest, instance: ApprovalInstance, _data: Data) -> str:
    if not can_sync(instance):
        raise Refused(_("WeCom holds no approval of this quote."))
    return sync_now(instance)


SUBMIT = Verb(
    name="submit",
    label=_("Submit"),
    question=_("Submit for approval? The content is sealed: what is approved is what is sealed now."),
    done=_("was submitted for approval."),
    run=_refusing(_submit),
    fits=_may_submit,
    form=SubmitForm,
    permissions=("approvals.submit_quote",),
    icon="send",
    variant=ActionVariant.PRIMARY,
)
REVISE = Verb(
    name="revise",
    label=_("Revise"),
    question=_("Open the next revision? Its content can be changed, and it needs an approval of its own."),
    done=_("is open for changes as a new revision."),
    run=_refusing(lambda quote, actor, _data: quotes.revise(quote=quote, actor=actor)),
    fits=_may_revise,
    permissions=("approvals.change_quote",),
    icon="edit_square",
)
_APPROVE: Data = {
    "name": "approve",
    "label": _("Approve"),
    "question": _("Agree to this quote?"),
    "done": _("was agreed to."),
    "form": CommentForm,
    "permissions": DECIDE,
    "icon": "check",
    "variant": ActionVariant.SUCCESS,
    "together": together(BatchVerb.APPROVE, ManyWithCommentForm),
}
_REJECT: Data = {
    "name": "reject",
    "label": _("Reject"),
    "question": _("Reject this quote? Everybody sees the reason."),
    "done": _("was rejected."),
    "form": ReasonForm,
    "permissions": DECIDE,
    "icon": "close",
    "variant": ActionVariant.DANGER,
}
_WITHDRAW: Data = {
    "name": "withdraw",
    "label": _("Withdraw"),
    "question": _("Take the submission back?"),
    "done": _("was withdrawn."),
    "form": CommentForm,
    "permissions": ("approvals.submit_quote",),
    "icon": "undo",
}
_SYNC: Data = {
    "name": "sync",
    "label": _("Sync now"),
    "question": _("Ask WeCom for its state now?"),
    "done": _("was compared with WeCom."),
    "permissions": ("approvals.sync_approval",),
    "icon": "sync",
    "atomic": False,
    "together": together(BatchVerb.SYNC, ManyForm),
}
QUOTE_VERBS = (
    SUBMIT,
    Verb(run=_of_quote(_approve), fits=lambda request, quote: may_decide(request, latest_approval(quote)), **_APPROVE),
    Verb(run=_of_quote(_reject), fits=lambda request, quote: may_decide(request, latest_approval(quote)), **_REJECT),
    Verb(
        run=_of_quote(_withdraw), fits=lambda request, quote: may_withdraw(request, latest_approval(quote)), **_WITHDRAW
    ),
    REVISE,
    Verb(run=_sync_quote, fits=lambda _request, quote: _can_sync_quote(quote), **_SYNC),
)
APPROVAL_VERBS = (
    Verb(run=_refusing(_approve), fits=may_decide, **_APPROVE),
    Verb(run=_refusing(_reject), fits=may_decide, **_REJECT),
    Verb(
        name="delegate",
        label=_("Delegate"),
        question=_("Let somebody else decide in your place?"),
        done=_("was delegated."),
        run=_refusing(
            lambda instance, actor, data: engine.delegate(
                instance=instance, actor=actor, delegate_to=data["delegate_to"], comment=data["comment"]
            )
        ),
        fits=_may_delegate,
        form=DelegateForm,
        permissions=DECIDE,
        icon="forward",
    ),
    Verb(
        name="remind",
        label=_("Remind"),
        question=_("Remind those whose turn it is?"),
        done=_("The approvers were reminded."),
        run=_refusing(
            lambda instance, actor, data: engine.remind(instance=instance, actor=actor, comment=data["comment"])
        ),
        fits=_may_remind,
        form=CommentForm,
        permissions=("approvals.submit_quote",),
        icon="notifications",
    ),
    Verb(run=_refusing(_withdraw), fits=may_withdraw, **_WITHDRAW),
    Verb(
        name="close-conflict",
        label=_("Close conflict"),
        question=_("Whose decision stands?"),
        done=_("The conflict was closed."),
        run=_refusing(
            lambda instance, actor, data: engine.close_conflict(
                instance=instance, actor=actor, keep=data["keep"], reason=data["reason"]
            )
        ),
        fits=lambda _request, instance: instance.conflict,
        form=CloseConflictForm,
        permissions=("approvals.close_conflict",),
        icon="balance",
        variant=ActionVariant.WARNING,
        in_lists=False,
    ),
    Verb(run=_sync_approval, fits=lambda _request, instance: can_sync(instance), **_SYNC),
)
