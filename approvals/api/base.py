"""What the viewsets of this API share."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import SearchFilter
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from approvals.actors import Actor, actor_for
from approvals.api.filters import StableOrdering
from approvals.models import Channel

Row = TypeVar("Row", bound=Model)


class ApiViewSet(GenericViewSet[Row]):
    lookup_value_converter = "int"
    filter_backends = (DjangoFilterBackend, SearchFilter, StableOrdering)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """A query string narrows lists; it must not decide whether one object exists."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def actor(self) -> Actor:
        """Whoever sends the request, by token or by session: both came through the API."""
        return actor_for(self.request.user, Channel.API)

    def valid(self, serializer_class: type[Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """The request's data, checked. Raises ValidationError."""
        serializer = serializer_class(data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)
