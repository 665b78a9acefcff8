"""Who approves what: rules and templates."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from approvals import mapping
from approvals.admin.chain_form import STEP_FIELDS, ChainForm, chain_in_words, step_field
from approvals.admin.fields import UseridField, lazy_capfirst
from approvals.admin.mapping_form import MappingForm, form_for, select_names
from approvals.chain import everybody, read
from approvals.models import ApprovalRule, ApprovalTemplate, Flow
from approvals.money import money
from config.admin_verbs import VerbsMixin
from config.page_context import PageContext
from config.verbs import Refused, Verb
from wecom.directory import names_of
from wecom.errors import WeComError
from wecom.oa import TemplateDetail


class RuleForm(ChainForm):
    escalate_to = UseridField(
        label=lazy_capfirst(_("escalate to")),
        required=False,
        help_text=_("A member who may decide from then on as well."),
    )

    class Meta:
        model = ApprovalRule
        exclude = ("chain",)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        least, most = data.get("min_amount"), data.get("max_amount")
        if least is not None and most is not None and most <= least:
            self.add_error("max_amount", _("Must be larger than “from amount”."))
        if data.get("flow") == Flow.INTERNAL and not self.instance.chain and not self.chain_errors:
            self.add_error(
                step_field(1), _("A flow in this system has no template to name the approvers: name them here.")
            )
        if data.get("flow") == Flow.WECOM_ENGINE and self.instance.chain:
            self.add_error(step_field(1), _("WeCom's approval engine takes the approvers from its own template."))
        self._check_template(data)
        if data.get("escalate_after") and not data.get("escalate_to") and "escalate_to" not in self.errors:
            self.add_error("escalate_to", _("Name the member."))
        if data.get("escalate_to") and not data.get("escalate_after"):
            self.add_error("escalate_after", _("After how many hours?"))
        return data

    def _check_template(self, data: dict[str, Any]) -> None:
        template: ApprovalTemplate | None = data.get("template")
        if template is None or "flow" not in data:
            return
        if data["flow"] == Flow.INTERNAL:
            self.add_error("template", _("A flow in this system uses no WeCom template."))
        elif data["flow"] != template.flow:
            self.add_error("template", _("This template belongs to the other flow of WeCom."))


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(VerbsMixin, ModelAdmin):
    form = RuleForm
    list_display = ("name", "priority", "range", "flow", "who", "active")
    list_select_related = ("template",)
    list_filter = ("active", ("flow", ChoicesDropdownFilter))
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": (("name", "priority"), "active")}),
        (_("Which quotes"), {"fields": ("currency", ("min_amount", "max_amount"))}),
        (_("Who approves"), {"fields": ("flow", "template", *STEP_FIELDS)}),
        (_("When nobody decides"), {"fields": ("remind_after", ("escalate_after", "escalate_to"))}),
    )

    @admin.display(description=_("amount"), ordering="min_amount")
    def range(self, rule: ApprovalRule) -> str:
        least = money(rule.min_amount)
        amounts = f"{least} – {money(rule.max_amount)}" if rule.max_amount else f"≥ {least}"
        return f"{rule.currency} {amounts}".strip()

    @display(description=_("approvers"))
    def who(self, rule: ApprovalRule) -> str:
        names: dict[str, str] = rule.names  # type: ignore[attr-defined] # get_changelist_instance
        return chain_in_words(read(rule.chain), names) or gettext("the flow set up in the template")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Its rows know the names of their approvers, by one look-up for each app."""
        changelist = super().get_changelist_instance(request)
        rules: dict[int | None, list[ApprovalRule]] = defaultdict(list)
        for rule in changelist.result_list:
            rules[rule.config_id].append(rule)
        for config_id, together in rules.items():
            people = [userid for rule in together for userid in everybody(read(rule.chain))]
            names = names_of(people, config_id=config_id)
            for rule in together:
                rule.names = names  # type: ignore[attr-defined]
        return changelist


def _suggest(_request: HttpRequest, template: ApprovalTemplate, _data: dict[str, Any]) -> str:
    try:
        detail = mapping.refresh(template)
    except WeComError as error:
        raise Refused(str(error)) from error
    template.mapping = _completed(template.mapping, detail)
    template.save(update_fields=["mapping"])
    count = len(template.mapping)
    return ngettext("%(count)d field is mapped.", "%(count)d fields are mapped.", count) % {"count": count}


def _completed(chosen: dict[str, str], detail: TemplateDetail) -> dict[str, str]:
    """What was chosen by hand stays where its control still exists; the suggestion fills the rest."""
    known = {control.id for top in detail.controls for control in (top, *top.children)}
    kept = {field: control_id for field, control_id in chosen.items() if control_id in known}
    taken = set(kept.values())
    suggested = mapping.suggest(detail).items()
    return kept | {
        field: control_id for field, control_id in suggested if field not in kept and control_id not in taken
    }


SUGGEST = Verb(
    name="suggest-mapping",
    label=_("Suggest mapping"),
    question=_("Read the template from WeCom and fill in the mapping? What you chose by hand stays."),
    done=_("was read from WeCom."),
    run=_suggest,
    permissions=("approvals.change_approvaltemplate",),
    icon="auto_fix_high",
    atomic=False,
    in_lists=False,
)


@admin.register(ApprovalTemplate)
class ApprovalTemplateAdmin(VerbsMixin, PageContext):
    verbs = (SUGGEST,)
    change_form_outer_before_template = "approvals/template_problems.html"
    list_display = ("__str__", "template_id", "config", "mapped", "checked_at")
    list_select_related = ("config",)
    list_filter = (("config", RelatedDropdownFilter),)
    search_fields = ("name", "template_id")
    readonly_fields = ("checked_at",)

    @admin.display(description=_("mapped fields"))
    def mapped(self, template: ApprovalTemplate) -> int:
        return len(template.mapping)

    def get_form(
        self, request: HttpRequest, obj: ApprovalTemplate | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        editable = self.has_change_permission(request, obj)
        kwargs["form"] = form_for(obj) if editable else MappingForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: ApprovalTemplate | None = None) -> Any:
        head = (None, {"fields": ("config", "template_id", "name")})
        if obj is None:
            return (head,)
        read = (None, {"fields": ("checked_at",)})
        if not obj.controls or not self.has_change_permission(request, obj):
            return (head, (_("Mapping"), {"fields": ("mapping",)}), read)
        # as a person reads a line of items; the order of ITEM_FIELDS is that of the suggestion
        columns = select_names(obj, sorted(mapping.ITEM_FIELDS, key=lambda field: field.name != "items.name"))
        return (
            head,
            (_("Which control carries what"), {"fields": _pairs(select_names(obj, mapping.FIELDS))}),
            *([(_("Columns of the items"), {"fields": _pairs(columns)})] if columns else []),
            read,
        )

    def page_context(self, request: HttpRequest, obj: ApprovalTemplate) -> dict[str, Any]:
        if not obj.controls:
            return {"controls_unknown": True}
        return {"mapping_problems": mapping.problems(obj.mapping, mapping.stored_detail(obj))}

    def response_add(
        self, request: HttpRequest, obj: ApprovalTemplate, post_url_continue: str | None = None
    ) -> HttpResponse:
        # on to the page with “Suggest mapping”: without a mapping the template cannot be used
        return HttpResponseRedirect(reverse("admin:approvals_approvaltemplate_change", args=[obj.pk]))


def _pairs(names: list[str]) -> list[tuple[str, ...]]:
    return [tuple(names[start : start + 2]) for start in range(0, len(names), 2)]
