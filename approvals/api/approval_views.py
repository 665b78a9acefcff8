"""Approvals over REST. A view validates, calls one function of the engine, and shows the approval as it is now."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import engine
from approvals.api import examples
from approvals.api.approval_serializers import (
    ApprovalSerializer,
    ApprovalStateSerializer,
    CommentSerializer,
    DelegateSerializer,
    ReasonSerializer,
    StatusQuerySerializer,
    SyncSerializer,
    TimelineSerializer,
    not_submitted,
)
from approvals.api.base import ApiViewSet
from approvals.api.errors import APPROVAL_CONFLICT
from approvals.api.filters import ApprovalFilter
from approvals.exceptions import NotAllowed
from approvals.models import ApprovalInstance, InstanceStatus, Quote
from approvals.sync_request import request_comparison
from approvals.visibility import visible_to
from config.rest_answers import INVALID, LISTING, NOT_FOUND, READING_ONE, UNAVAILABLE, WRITING, answers

ACTING = {**WRITING, 404: NOT_FOUND, 409: APPROVAL_CONFLICT}


def approvals_with_parts() -> QuerySet[ApprovalInstance]:
    """Approvals with what their JSON needs, in a fixed number of queries. The sealed content is left in the table."""
    rows = ApprovalInstance.objects.select_related("quote", "applicant").prefetch_related("steps")
    return rows.defer("snapshot", "quote__remark")


@extend_schema(tags=["Approvals"])
@extend_schema_view(
    list=extend_schema(
        summary="List approvals",
        description="The approvals that you may see, newest first. Salespeople see their own, approvers those in "
        "which they are a step.",
        responses=answers(200, ApprovalSerializer(many=True), LISTING),
    ),
    retrieve=extend_schema(
        summary="Read an approval with its steps",
        responses=answers(200, ApprovalSerializer, READING_ONE),
        examples=[examples.APPROVED],
    ),
)
class ApprovalViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet[ApprovalInstance]):
    queryset = ApprovalInstance.objects.none()
    serializer_class = ApprovalSerializer
    filterset_class = ApprovalFilter
    search_fields = ("third_no", "sp_no", "quote__quote_number", "quote__customer_name")
    ordering_fields = ("submitted_at", "decided_at")

    def get_queryset(self) -> QuerySet[ApprovalInstance]:
        return visible_to(self.request.user, approvals_with_parts())

    @extend_schema(
        summary="Read an approval's timeline",
        description="Every action and every word from WeCom, oldest first: who, when, through which channel, and "
        "what came of it.",
        responses=answers(200, TimelineSerializer(many=True), READING_ONE),
    )
    @action(detail=True, filter_backends=())
    def timeline(self, request: Request, pk: int) -> Response:
        rows: Any = self.get_object().timeline.order_by("pk")
        entries = self.paginate_queryset(rows)
        return self.get_paginated_response(TimelineSerializer(entries, many=True).data)

    @extend_schema(
        summary="Approve",
        description="In your place as an approver; the approval is `approved` once every step agrees. For `wecom_oa` "
        "WeCom's own form stays open until somebody agrees there too (`remote_pending`).",
        request=CommentSerializer,
        responses=answers(200, ApprovalSerializer, ACTING),
        examples=[examples.COMMENT],
    )
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: int) -> Response:
        return self._act(engine.approve, CommentSerializer)

    @extend_schema(
        summary="Reject",
        description="Rejects the whole approval; a reason is required.",
        request=ReasonSerializer,
        responses=answers(200, ApprovalSerializer, ACTING),
        examples=[examples.REASON],
    )
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: int) -> Response:
        return self._act(engine.reject, ReasonSerializer)

    @extend_schema(
        summary="Withdraw",
        description="The applicant takes the submission back. For `wecom_oa` the form has to be withdrawn in WeCom "
        "too (`remote_pending`).",
        request=CommentSerializer,
        responses=answers(200, ApprovalSerializer, ACTING),
        examples=[examples.COMMENT],
    )
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        return self._act(engine.withdraw, CommentSerializer)

    @extend_schema(
        summary="Delegate",
        description="Another WeCom member decides in your place.",
        request=DelegateSerializer,
        responses=answers(200, ApprovalSerializer, ACTING),
        examples=[examples.DELEGATE],
    )
    @action(detail=True, methods=["post"])
    def delegate(self, request: Request, pk: int) -> Response:
        return self._act(engine.delegate, DelegateSerializer)

    @extend_schema(
        summary="Remind the approvers",
        description="A WeCom message to everybody whose turn it is; at most once in ten minutes, then 409.",
        request=CommentSerializer,
        responses=answers(200, ApprovalSerializer, ACTING),
        examples=[examples.COMMENT],
    )
    @action(detail=True, methods=["post"])
    def remind(self, request: Request, pk: int) -> Response:
        return self._act(engine.remind, CommentSerializer)

    @extend_schema(
        summary="Query a status",
        description="By quote number, WeCom's number or ours; several must all fit. For a quote number: its latest "
        "approval, or `not_submitted` while the present revision has never been submitted (an approval of an earlier "
        "revision says nothing about it).",
        parameters=[StatusQuerySerializer],
        responses=answers(200, ApprovalStateSerializer, {**READING_ONE, 400: INVALID}),
        examples=[examples.APPROVED, examples.NOT_SUBMITTED],
        filters=False,
    )
    @action(detail=False, url_path="status", pagination_class=None)
    def status_query(self, request: Request) -> Response:
        query = StatusQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(self._state(**query.validated_data))

    def _state(self, quote_number: str = "", sp_no: str = "", third_no: str = "") -> dict[str, Any]:
        rows = self.get_queryset()
        if quote_number:
            quote = visible_to(self.request.user, Quote.objects.filter(quote_number=quote_number)).first()
            if quote is not None and quote.approval_status == InstanceStatus.NOT_SUBMITTED and not (sp_no or third_no):
                return not_submitted(quote)
            rows = rows.filter(quote__quote_number=quote_number)
        numbers = {name: value for name, value in (("sp_no", sp_no), ("third_no", third_no)) if value}
        latest = rows.filter(**numbers).order_by("-pk").first()
        if latest is None:
            raise Http404
        return dict(ApprovalSerializer(latest).data)

    @extend_schema(
        summary="Compare with WeCom now",
        description="Queues a comparison of the named approvals, or of everything that is open, with WeCom. With "
        "`ids`, 503 if the queue is away; without, it comes at the latest with the next scheduled comparison.",
        request=SyncSerializer,
        responses=answers(202, SyncSerializer, {**WRITING, 503: UNAVAILABLE}),
        examples=[examples.SYNC_SOME],
    )
    @action(detail=False, methods=["post"])
    def sync(self, request: Request) -> Response:
        if not self.actor().may("approvals.sync_approval"):
            raise NotAllowed
        ids = self.valid(SyncSerializer).get("ids")
        if ids is not None:
            self._require_known(ids)
        request_comparison(ids)
        return Response({} if ids is None else {"ids": ids}, status=status.HTTP_202_ACCEPTED)

    def _require_known(self, ids: list[int]) -> None:
        known = set(self.get_queryset().filter(pk__in=ids).values_list("pk", flat=True))
        if unknown := sorted(set(ids) - known):
            raise ValidationError({"ids": [_("There is no approval %(id)s.") % {"id": pk} for pk in unknown]})

    def _act(self, verb: Any, serializer_class: type[Any]) -> Response:
        instance = self.get_object()
        instance = verb(instance=instance, actor=self.actor(), **self.valid(serializer_class))
        return Response(ApprovalSerializer(approvals_with_parts().get(pk=instance.pk)).data)
