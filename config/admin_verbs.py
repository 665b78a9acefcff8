"""Verbs in the admin: a button on an object's page, an action over a list, and the page that asks before acting.

A verb is declared once (``config.verbs``); ``VerbsMixin`` offers it in both places. GET only ever shows the question;
POST acts, writes Django's log, and says what came of it. Over a list every object is treated on its own merits, and
one report at the end says how many were done and which were refused, with the reason. Who may act is decided by what
``run`` calls; ``permissions`` and ``fits`` only keep buttons away from people who would be refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action
from unfold.enums import ActionVariant

from config.verbs import Refused, Together, Verb

MOST_AT_ONCE = 200
"""Objects one bulk action takes: each is a transaction of its own, and the browser waits."""
LISTED = 12
"""Objects named in a question or in a line of the report; of the rest only the number is given."""


def verb_page(verb: Verb) -> Callable[..., HttpResponse]:
    """The method behind the verb's button; its name must stand in the class's ``actions_detail``."""

    def page(self: VerbsMixin, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.verb_view(request, object_id, verb)

    page.__name__ = page_name(verb)
    decorated: Callable[..., HttpResponse] = action(
        page, description=verb.label, url_path=verb.name, icon=verb.icon, variant=verb.variant
    )
    return decorated


def page_name(verb: Verb) -> str:
    return f"{verb.action}_page"


def _bulk(verb: Verb) -> Callable[..., HttpResponse | None]:
    def act(self: VerbsMixin, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self.bulk_view(request, queryset, verb)

    act.__name__ = verb.action
    act.short_description = verb.label  # type: ignore[attr-defined]
    return act


class VerbsMixin(ModelAdmin):
    """Offers the class's ``verbs`` as buttons and as actions of the list."""

    verbs: ClassVar[tuple[Verb, ...]] = ()
    leads: ClassVar[tuple[str, ...]] = ()
    """Further buttons of an object's page: methods that only lead somewhere, for everybody who sees the page."""

    class Media:
        css = {"all": ("config/admin.css",)}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "verbs" not in cls.__dict__:
            return
        for verb in cls.verbs:
            setattr(cls, page_name(verb), verb_page(verb))
        cls.actions_detail = (*map(page_name, cls.verbs), *cls.leads)
        cls.actions = tuple(_bulk(verb) for verb in cls.verbs if verb.in_lists)

    def seen(self, obj: Any) -> str:
        """A mark of what the person is looking at. If it is another one when they act, the object is refused."""
        return ""

    # -- what is offered ---------------------------------------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        barred = {verb.action for verb in self.verbs if not verb.allowed(request.user)}
        return {name: entry for name, entry in super().get_actions(request).items() if name not in barred}

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        obj = self.get_object(request, unquote(str(object_id)))
        if obj is None:
            return []
        fitting = {page_name(verb) for verb in self.verbs if verb.allowed(request.user) and verb.fits(request, obj)}
        offered = super().get_actions_detail(request, object_id)
        return [entry for entry in offered if entry.method.original_function_name in fitting | {*self.leads}]

    # -- one object --------------------------------------------------------------------------------------------------

    def verb_view(self, request: HttpRequest, object_id: str, verb: Verb) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            redirect: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return redirect
        if not (verb.allowed(request.user) and self.has_view_or_change_permission(request, obj)):
            raise PermissionDenied
        acting = request.method == "POST"
        if not (acting or verb.fits(request, obj)):
            messages.warning(request, _("This is not possible now, or not for you."))
            return HttpResponseRedirect(self._page_of(obj))
        form = verb.form(request.POST if acting else None, targets=[obj], request=request)
        if acting and form.is_valid():
            try:
                outcome = self._do(request, verb, obj, form.cleaned_data)
            except Refused as refusal:
                if not _put_on_form(form, refusal):
                    messages.error(request, str(refusal))
                    return HttpResponseRedirect(self._page_of(obj))
            else:
                if isinstance(outcome, HttpResponse):
                    return outcome
                messages.success(request, _("%(what)s: %(sentence)s") % {"what": obj, "sentence": outcome})
                return HttpResponseRedirect(self._page_of(obj))
        return self._question(request, verb, form, [obj], back=self._page_of(obj))

    def _do(self, request: HttpRequest, verb: Verb, obj: Any, data: dict[str, Any]) -> str | HttpResponse:
        """Do it and log it, in one transaction unless the verb talks to the network. Raises Refused."""
        marks = dict(mark.split(":", 1) for mark in request.POST.getlist("seen") if ":" in mark)
        if str(obj.pk) in marks and marks[str(obj.pk)] != self.seen(obj):
            raise Refused(gettext_lazy("It has changed since you opened the page. Look at it again."))
        with transaction.atomic() if verb.atomic else nullcontext():
            outcome = verb.run(request, obj, data) or str(verb.done)
            self.log_change(request, obj, str(verb.done) if isinstance(outcome, HttpResponse) else outcome)
        return outcome

    def _page_of(self, obj: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=(obj.pk,))

    # -- a list ------------------------------------------------------------------------------------------------------

    def bulk_view(self, request: HttpRequest, queryset: QuerySet[Any], verb: Verb) -> HttpResponse | None:
        if not verb.allowed(request.user):
            raise PermissionDenied
        most = verb.together.most if verb.together else MOST_AT_ONCE
        targets = list(queryset.order_by("pk")[: most + 1])
        if len(targets) > most:
            messages.error(request, _("Select at most %(count)d at a time.") % {"count": most})
            return None
        confirmed = "confirmed" in request.POST or not verb.asks_in_lists
        form_class = verb.together.form if verb.together else verb.form
        form = form_class(request.POST if confirmed else None, targets=targets, request=request)
        if not (confirmed and form.is_valid()):
            return self._question(request, verb, form, targets, back=request.get_full_path(), bulk=True)
        if verb.together:
            return self._do_together(request, verb.together, targets, form.cleaned_data)
        self._report(request, verb, targets, partial(self._do, request, verb, data=form.cleaned_data))
        return HttpResponseRedirect(request.get_full_path())

    def _do_together(
        self, request: HttpRequest, together: Together, targets: Sequence[Any], data: dict[str, Any]
    ) -> HttpResponse:
        try:
            return together.run(request, targets, data)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())

    def _report(self, request: HttpRequest, verb: Verb, targets: Iterable[Any], do: Callable[[Any], object]) -> None:
        done: list[Any] = []
        refused: dict[str, list[Any]] = defaultdict(list)
        for obj in targets:
            try:
                do(obj)
            except Refused as refusal:
                refused[str(refusal.sentence)].append(obj)
            else:
                done.append(obj)
        if done:
            text = ngettext("%(verb)s: %(count)d done.", "%(verb)s: %(count)d done.", len(done))
            messages.success(request, text % {"verb": verb.label, "count": len(done)})
        if refused:
            count = sum(map(len, refused.values()))
            text = ngettext("%(verb)s: %(count)d refused.", "%(verb)s: %(count)d refused.", count)
            head = text % {"verb": verb.label, "count": count}
            lines = format_html_join("", "<li>{}: {}</li>", ((named(objs), why) for why, objs in refused.items()))
            messages.warning(request, format_html("{}<ul>{}</ul>", head, lines))

    # -- the question ------------------------------------------------------------------------------------------------

    def _question(
        self,
        request: HttpRequest,
        verb: Verb,
        form: forms.Form,
        targets: Sequence[Any],
        *,
        back: str,
        bulk: bool = False,
    ) -> TemplateResponse:
        # a form that comes back with an error keeps the marks of what was seen first; where all are treated together,
        # the form holds what was seen
        marked = [] if bulk and verb.together else targets
        seen = request.POST.getlist("seen") or [f"{obj.pk}:{mark}" for obj in marked if (mark := self.seen(obj))]
        context = {
            **self.admin_site.each_context(request),
            **({} if bulk else self.verb_context(request, verb, targets[0])),
            "title": verb.label,
            "subtitle": None if bulk else str(targets[0]),
            "opts": self.opts,
            "media": self.media + form.media,
            "verb": verb,
            "danger": verb.variant == ActionVariant.DANGER,
            "form": form,
            "back": back,
            "seen": seen,
            "targets": targets[:LISTED],
            "more": max(0, len(targets) - LISTED),
            "selected": [obj.pk for obj in targets] if bulk else [],
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/confirm.html", context)

    def verb_context(self, request: HttpRequest, verb: Verb, obj: Any) -> dict[str, Any]:
        """More for the question about one object; ``evidence_template`` names what shows it."""
        return {}


def _put_on_form(form: forms.Form, refusal: Refused) -> bool:
    """Whether the refusal is about something the person can correct on the form."""
    if not refusal.errors or not form.fields:
        return False
    for name, sentences in refusal.errors.items():
        form.add_error(name if name in form.fields else None, list(map(str, sentences)))
    return True


def named(objs: Sequence[Any]) -> str:
    """Their names; of many, only the first ones."""
    names = _(", ").join(str(obj) for obj in objs[:LISTED])
    return (
        names
        if len(objs) <= LISTED
        else _("%(names)s and %(count)d more")
        % {
            "names": names,
            "count": len(objs) - LISTED,
        }
    )
