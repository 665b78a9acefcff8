"""Quotes in the admin. Drafts are edited here through ``approvals.quotes``; sealed ones are read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet

from approvals import quotes
from approvals.admin.panel import changes_of, quote_context
from approvals.admin.verbs import QUOTE_VERBS, acting, latest_approval
from approvals.admin.words import ATTENTION_TONES, QUOTE_TONES, attention_label
from approvals.exceptions import EngineError
from approvals.models import ApprovalInstance, Quote, QuoteItem
from approvals.money import money
from approvals.permissions import require_own_quote
from approvals.visibility import visible_to
from approvals.words import STATUS_TONES
from config.admin_verbs import VerbsMixin
from config.facts_admin import DayRangeFilter
from config.page_context import PageContext
from config.verbs import Verb


def plain(number: Decimal) -> str:
    """Without the zeros at its end that the column adds."""
    return f"{number.normalize():f}"


class ItemForm(forms.ModelForm):
    class Meta:
        model = QuoteItem
        fields = quotes.ITEM_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:  # 3, not 3.000
            self.initial["quantity"] = plain(self.instance.quantity)


class ItemFormSet(PaginationInlineFormSet):
    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        if quotes.total(QuoteItem(**values) for values in self.contents()) > quotes.LARGEST_TOTAL:
            raise forms.ValidationError(_("The total is larger than a quote can hold."))

    def contents(self) -> list[dict[str, Any]]:
        """The items as they shall be, in the order of the page."""
        kept = [form for form in self.initial_forms if form not in self.deleted_forms]
        new = [form for form in self.extra_forms if form.has_changed() and form not in self.deleted_forms]
        return [{name: form.cleaned_data[name] for name in quotes.ITEM_FIELDS} for form in (*kept, *new)]


class ItemInline(TabularInline):
    model = QuoteItem
    form = ItemForm
    formset = ItemFormSet
    max_num = quotes.MOST_ITEMS
    hide_title = True
    readonly_fields = ("plain_quantity", "amount")

    def get_formset(self, request: HttpRequest, obj: Quote | None = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, validate_max=True, **kwargs)

    def get_extra(self, request: HttpRequest, obj: Quote | None = None, **kwargs: Any) -> int:
        return 0 if obj else 1

    def get_fields(self, request: HttpRequest, obj: Quote | None = None) -> tuple[str, ...]:
        quantity = "quantity" if may_edit(request, obj) else "plain_quantity"
        return ("name", "specification", quantity, "unit_price", "amount")

    @admin.display(description=_("quantity"))
    def plain_quantity(self, item: QuoteItem) -> str:
        return plain(item.quantity)

    @admin.display(description=_("amount"))
    def amount(self, item: QuoteItem) -> str:
        return f"{quotes.amount(item.quantity, item.unit_price):,}" if item.pk else ""

    # Items are a part of their quote: whoever may change it may change them, and nobody else.

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_edit(request, obj)

    has_add_permission = has_delete_permission = has_change_permission


def may_edit(request: HttpRequest, quote: Quote | None, permission: str = "approvals.change_quote") -> bool:
    """Whether this person may change this quote now. None: a new one."""
    if quote is None or quote.pk is None:
        return acting(request).may("approvals.add_quote")
    try:
        require_own_quote(acting(request), quote, permission)
    except EngineError:
        return False
    return not quote.sealed


class AttentionFilter(DropdownFilter):
    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("conflict", _("Conflict")), ("remote_pending", _("WeCom does not agree yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("conflict", "remote_pending"):
            return queryset.filter(**{self.value(): True})
        return queryset


class OwnerFilter(RelatedDropdownFilter):
    """Owners of the quotes that this person sees, not the whole staff."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        owners = model_admin.get_queryset(request).order_by().values("owner")
        choices: list[tuple[Any, str]] = field.get_choices(
            include_blank=False, ordering=("username",), limit_choices_to={"pk__in": owners}
        )
        return choices


@admin.register(Quote)
class QuoteAdmin(VerbsMixin, PageContext):
    verbs = QUOTE_VERBS
    inlines = (ItemInline,)
    change_form_outer_before_template = "approvals/truth_panel.html"
    change_form_outer_after_template = "approvals/history.html"
    list_display = (
        "quote_number",
        "customer_name",
        "title",
        "amount",
        "status_badge",
        "approval_badge",
        "attention",
        "owner",
        "updated_at",
    )
    list_select_related = ("owner",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("approval_status", ChoicesDropdownFilter),
        AttentionFilter,
        "currency",
        ("owner", OwnerFilter),
        ("created_at", DayRangeFilter),
    )
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("quote_number", "customer_name")
    search_help_text = _("Quote number or customer")
    warn_unsaved_form = True
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("title", "customer_name"),
                    ("contact", "phone"),
                    ("currency", "valid_until"),
                    "remark",
                )
            },
        ),
        (
            _("Number and dates"),
            {"fields": (("quote_number", "revision"), ("total_shown", "owner"), ("created_at", "updated_at"))},
        ),
    )
    readonly_fields = ("quote_number", "revision", "total_shown", "owner", "created_at", "updated_at")

    # -- the list ----------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Quote]:
        approvals = ApprovalInstance.objects.filter(quote=OuterRef("pk"))
        rows = super().get_queryset(request).select_related("owner")
        return visible_to(request.user, rows).annotate(
            conflict=Exists(approvals.filter(conflict=True)),
            remote_pending=Exists(approvals.filter(remote_pending=True)),
        )

    @admin.display(description=_("total"), ordering="total")
    def amount(self, quote: Quote) -> str:
        return f"{quote.currency} {money(quote.total)}"

    @admin.display(description=_("total"))
    def total_shown(self, quote: Quote) -> str:
        return self.amount(quote) if quote.pk else ""

    @display(description=_("status"), ordering="status", label=QUOTE_TONES)
    def status_badge(self, quote: Quote) -> tuple[str, str]:
        return quote.status, quote.get_status_display()

    @display(description=_("approval status"), ordering="approval_status", label=STATUS_TONES)
    def approval_badge(self, quote: Quote) -> tuple[str, str]:
        return quote.approval_status, quote.get_approval_status_display()

    @display(description=_("attention"), label=ATTENTION_TONES)
    def attention(self, quote: Any) -> tuple[str, str] | str:
        return attention_label(conflict=quote.conflict, remote_pending=quote.remote_pending)

    # -- rights ------------------------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Quote | None = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or may_edit(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Quote | None = None) -> bool:
        if obj is None or not super().has_delete_permission(request, obj):
            return False  # never over a list: each is asked for by itself
        return may_edit(request, obj, "approvals.delete_quote") and latest_approval(obj) is None

    def get_fieldsets(self, request: HttpRequest, obj: Quote | None = None) -> Any:
        return self.fieldsets if obj else self.fieldsets[:1]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "remark" and field is not None:
            field.widget.attrs["rows"] = 3
        return field

    # -- the page ----------------------------------------------------------------------------------------------------

    def page_context(self, request: HttpRequest, obj: Quote) -> dict[str, Any]:
        return quote_context(request, obj)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except EngineError as error:  # sealed or handed over since the page was opened
            messages.error(request, str(error))
            return HttpResponseRedirect(request.get_full_path())
        return response

    def verb_context(self, request: HttpRequest, verb: Verb, obj: Quote) -> dict[str, Any]:
        return {
            "evidence_template": "approvals/evidence.html",
            "quote": obj,
            "content": quotes.snapshot(obj),
            "changes": changes_of(obj),
        }

    def seen(self, obj: Quote) -> str:
        instance = latest_approval(obj)
        return f"{instance.pk if instance else 0}.{quotes.seal(quotes.snapshot(obj))}"

    # -- saving ------------------------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Quote, form: forms.ModelForm, change: bool) -> None:
        actor = acting(request)
        data = {name: form.cleaned_data[name] for name in quotes.CONTENT_FIELDS}
        if change:
            quotes.update_quote(quote=obj, data=data, actor=actor)
        else:
            obj.pk = quotes.create_quote(data=data, actor=actor).pk
        obj._state.adding = False
        obj.refresh_from_db()

    def save_formset(self, request: HttpRequest, form: forms.ModelForm, formset: Any, change: bool) -> None:
        formset.save(commit=False)  # writes nothing; Django's log wants to know what changed
        if formset.has_changed():
            quotes.replace_items(form.instance, formset.contents())

    def delete_model(self, request: HttpRequest, obj: Quote) -> None:
        quotes.delete_quote(quote=obj, actor=acting(request))
