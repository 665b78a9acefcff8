"""What lists can be narrowed by. An unreadable value is refused, not ignored."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters as filters
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

from approvals.models import ApprovalInstance, Flow, InstanceStatus, Quote, QuoteStatus

# Midnight of a day outside these, in a local time zone, is no moment that a database can hold.
DAY_LIMITS = [MinValueValidator(date(1970, 1, 1)), MaxValueValidator(date(2999, 12, 31))]


class FromDay(filters.DateFilter):
    """From the start of a day (in TIME_ZONE) of a column of moments."""

    def __init__(self, field_name: str, label: str) -> None:
        super().__init__(field_name=field_name, lookup_expr="gte", label=label, validators=DAY_LIMITS)

    def filter(self, rows: QuerySet[Any], day: date | None) -> QuerySet[Any]:
        return super().filter(rows, day and start_of(day))


class UntilDay(filters.DateFilter):
    """Up to the end of a day (in TIME_ZONE) of a column of moments."""

    def __init__(self, field_name: str, label: str) -> None:
        super().__init__(field_name=field_name, lookup_expr="lt", label=label, validators=DAY_LIMITS)

    def filter(self, rows: QuerySet[Any], day: date | None) -> QuerySet[Any]:
        return super().filter(rows, day and start_of(day + timedelta(days=1)))


class YesNoField(forms.Field):
    """``true`` or ``false``; django-filter's own boolean takes any other word for "not given"."""

    words = {"": None, "true": True, "false": False}

    def to_python(self, value: str | None) -> bool | None:
        try:
            return self.words[value or ""]
        except KeyError:
            raise ValidationError(_("Write true or false.")) from None


class YesNoFilter(filters.BooleanFilter):
    field_class = YesNoField


def start_of(day: date) -> datetime:
    """The first moment of ``day`` in TIME_ZONE."""
    return timezone.make_aware(datetime.combine(day, time.min))


class QuoteFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=QuoteStatus.choices, label="Any of these statuses.")
    approval_status = filters.MultipleChoiceFilter(
        choices=InstanceStatus.choices, label="Any of these approval statuses."
    )
    quote_number = filters.CharFilter(label="Exactly this quote number.")
    customer = filters.CharFilter(
        field_name="customer_name", lookup_expr="icontains", label="Part of the customer's name."
    )
    currency = filters.CharFilter(lookup_expr="iexact", label="Three letters, such as CNY.")
    owner = filters.CharFilter(field_name="owner__username", label="The owner's user name.")
    created_after = FromDay("created_at", "Created on this day or later (YYYY-MM-DD).")
    created_before = UntilDay("created_at", "Created on this day or earlier (YYYY-MM-DD).")

    class Meta:
        model = Quote
        fields: tuple[str, ...] = ()


class ApprovalFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=InstanceStatus.choices, label="Any of these statuses.")
    flow = filters.MultipleChoiceFilter(choices=Flow.choices, label="Any of these flows.")
    quote_number = filters.CharFilter(field_name="quote__quote_number", label="Exactly this quote number.")
    sp_no = filters.CharFilter(label="Exactly this number of WeCom.")
    third_no = filters.CharFilter(label="Exactly this number of ours.")
    applicant = filters.CharFilter(method="by_applicant", label="The applicant's user name or WeCom userid.")
    submitted_after = FromDay("submitted_at", "Submitted on this day or later (YYYY-MM-DD).")
    submitted_before = UntilDay("submitted_at", "Submitted on this day or earlier (YYYY-MM-DD).")
    conflict = YesNoFilter(label="Whether decisions here and in WeCom contradict each other.")
    remote_pending = YesNoFilter(label="Whether a decision taken here is still open in WeCom.")

    class Meta:
        model = ApprovalInstance
        fields: tuple[str, ...] = ()

    def by_applicant(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(applicant__username=value) | Q(applicant_userid__iexact=value))


class StableOrdering(OrderingFilter):
    """Rows that compare equal keep one order from page to page: the newest first."""

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> list[str]:
        return [*(super().get_ordering(request, queryset, view) or ()), "-pk"]

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        fields = ", ".join(f"`{name}`" for name in view.ordering_fields)
        text = f"By {fields}; several separated by commas; `-` in front reverses. Default: the newest first."
        return [{**super().get_schema_operation_parameters(view)[0], "description": text}]
