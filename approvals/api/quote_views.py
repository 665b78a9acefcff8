"""Quotes over REST. A view validates, calls one function of the domain, and shows the result."""

from __future__ import annotations

from django.db.models import OuterRef, QuerySet, Subquery
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import engine, quotes
from approvals.api import examples
from approvals.api.approval_serializers import ApprovalSerializer
from approvals.api.approval_views import approvals_with_parts
from approvals.api.base import ApiViewSet
from approvals.api.errors import QUOTE_CONFLICT
from approvals.api.filters import QuoteFilter
from approvals.api.quote_serializers import QuoteSerializer, SubmitSerializer
from approvals.models import ApprovalInstance, Quote
from approvals.visibility import visible_to
from config.rest_answers import FORBIDDEN, LISTING, READING_ONE, WRITING, answers

STATE_ONLY = {**READING_ONE, 403: FORBIDDEN, 409: QUOTE_CONFLICT}
CHANGING = {**WRITING, **STATE_ONLY}
EMPTY = {name: getattr(Quote(), name) for name in quotes.CONTENT_FIELDS}


def quotes_with_parts() -> QuerySet[Quote]:
    """Quotes with what their JSON needs, in a fixed number of queries."""
    latest = ApprovalInstance.objects.filter(quote=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    return Quote.objects.select_related("owner").prefetch_related("items").annotate(latest_approval_id=Subquery(latest))


@extend_schema(tags=["Quotes"])
@extend_schema_view(
    list=extend_schema(
        summary="List quotes",
        description="The quotes that you may see, newest first. Salespeople see their own, approvers also those that "
        "they decide on.",
        responses=answers(200, QuoteSerializer(many=True), LISTING),
    ),
    retrieve=extend_schema(summary="Read a quote", responses=answers(200, QuoteSerializer, READING_ONE)),
    create=extend_schema(
        summary="Create a quote",
        description="A draft of your own, with the next number of the day. Amounts and total are computed here.",
        responses=answers(201, QuoteSerializer, WRITING),
        examples=[examples.NEW_QUOTE],
    ),
    update=extend_schema(
        summary="Replace a draft's content",
        description="What is left out becomes empty. Only while the quote is a draft; afterwards it is sealed: 409.",
        responses=answers(200, QuoteSerializer, CHANGING),
        examples=[examples.NEW_QUOTE],
    ),
    partial_update=extend_schema(
        summary="Change a draft",
        description="Only what is given changes; `items`, if given, replace all items. A sealed quote answers 409.",
        responses=answers(200, QuoteSerializer, CHANGING),
        examples=[examples.NEW_REMARK],
    ),
    destroy=extend_schema(
        summary="Delete a draft",
        description="Only a draft that was never submitted; otherwise 409 with its state.",
        responses=answers(204, None, STATE_ONLY),
    ),
)
class QuoteViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet[Quote]):
    queryset = Quote.objects.none()
    serializer_class = QuoteSerializer
    filterset_class = QuoteFilter
    search_fields = ("quote_number", "title", "customer_name", "contact")
    ordering_fields = ("created_at", "updated_at", "quote_number", "total")

    def get_queryset(self) -> QuerySet[Quote]:
        return visible_to(self.request.user, quotes_with_parts())

    def create(self, request: Request) -> Response:
        quote = quotes.create_quote(data=self.valid(QuoteSerializer), actor=self.actor())
        return self._show(quote, status.HTTP_201_CREATED)

    def update(self, request: Request, pk: int) -> Response:
        quote = self.get_object()
        data = EMPTY | self.valid(QuoteSerializer)
        return self._show(quotes.update_quote(quote=quote, data=data, actor=self.actor()))

    def partial_update(self, request: Request, pk: int) -> Response:
        quote = self.get_object()
        data = self.valid(QuoteSerializer, partial=True)
        return self._show(quotes.update_quote(quote=quote, data=data, actor=self.actor()))

    def destroy(self, request: Request, pk: int) -> Response:
        quotes.delete_quote(quote=self.get_object(), actor=self.actor())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Submit a quote for approval",
        description="Seals the content and starts an approval. WeCom is told in the background: the approval is "
        "`submitting` until WeCom has taken it. Without `flow` and `approvers` the matching approval rule decides.",
        request=SubmitSerializer,
        responses=answers(202, ApprovalSerializer, CHANGING),
        examples=[examples.SUBMIT, examples.SUBMITTED],
    )
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: int) -> Response:
        quote = self.get_object()
        instance = engine.submit(quote=quote, actor=self.actor(), **self.valid(SubmitSerializer))
        shown = approvals_with_parts().get(pk=instance.pk)
        return Response(ApprovalSerializer(shown).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Open the next revision",
        description="The content can be changed again and needs an approval of its own. What was submitted before "
        "stays as it was sealed. Only after the approval has ended; otherwise 409.",
        request=None,
        responses=answers(200, QuoteSerializer, STATE_ONLY),
    )
    @action(detail=True, methods=["post"])
    def revise(self, request: Request, pk: int) -> Response:
        return self._show(quotes.revise(quote=self.get_object(), actor=self.actor()))

    def _show(self, quote: Quote, code: int = status.HTTP_200_OK) -> Response:
        return Response(QuoteSerializer(quotes_with_parts().get(pk=quote.pk)).data, status=code)
