"""Many approvals over REST: ask, and read the report."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api import examples
from approvals.api.base import ApiViewSet
from approvals.api.batch_serializers import (
    BatchItemSerializer,
    BatchReportSerializer,
    BatchRequestSerializer,
    BatchSerializer,
)
from approvals.batches import batches_of, open_batch
from approvals.models import Batch
from config.rest import PageNumbers
from config.rest_answers import READING_ONE, WRITING, answers

PAGE = [
    OpenApiParameter("page", OpenApiTypes.INT, description="Page of the items."),
    OpenApiParameter(
        "page_size", OpenApiTypes.INT, description=f"Items per page, at most {PageNumbers.max_page_size}."
    ),
]


@extend_schema(tags=["Approvals"])
class BatchViewSet(ApiViewSet[Batch]):
    queryset = Batch.objects.none()
    serializer_class = BatchSerializer

    def get_queryset(self) -> QuerySet[Batch]:
        return batches_of(self.request.user)

    @extend_schema(
        summary="Approve or compare many",
        description="Queues it and answers at once; read the report under the `id`. Each approval is treated on its "
        "own merits, in your name and with the rights that you hold when its turn comes. With an `id` that you do not "
        "see, 400, and nothing is queued.",
        request=BatchRequestSerializer,
        responses=answers(202, BatchSerializer, WRITING),
        examples=[examples.APPROVE_MANY, examples.BATCH],
    )
    def create(self, request: Request) -> Response:
        asked = self.valid(BatchRequestSerializer)
        batch = open_batch(verb=asked["action"], ids=asked["ids"], actor=self.actor(), comment=asked.get("comment", ""))
        return Response(BatchSerializer(batch).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Read the report of a batch",
        description="Your own batches; those who oversee all approvals read everybody's.",
        parameters=PAGE,
        responses=answers(200, BatchReportSerializer, READING_ONE),
        examples=[examples.BATCH_REPORT],
    )
    def retrieve(self, request: Request, pk: int) -> Response:
        batch = self.get_object()
        rows: Any = batch.items.order_by("pk")
        page: Any = self.paginate_queryset(rows)
        items = self.get_paginated_response(BatchItemSerializer(page, many=True).data).data
        return Response({**BatchSerializer(batch).data, "items": items})
