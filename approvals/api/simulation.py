"""Deciding in the WeCom stand-in, for demos and tests; unknown where the real WeCom is connected."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals.api import examples
from approvals.api.approval_serializers import ApprovalSerializer
from approvals.api.approval_views import approvals_with_parts
from approvals.api.errors import NOTHING_OPEN, STANDIN_FAILED
from approvals.models import Quote
from approvals.simulate import ACTIONS, require_standin, simulate
from approvals.visibility import visible_to
from config.rest_answers import INVALID, NOT_FOUND, READING, answers


class SimulateSerializer(serializers.Serializer[Any]):
    quote_number = serializers.CharField(max_length=32)
    action = serializers.ChoiceField([(action, action) for action in ACTIONS])


class SimulateApproval(APIView):
    @extend_schema(
        tags=["Stand-in"],
        operation_id="simulate_approval",
        summary="Decide in the WeCom stand-in",
        description="Presses the button on the stand-in's phone. The decision comes back as WeCom's would, so the "
        "approval in the answer is usually still undecided. 404 where the stand-in is not in use.",
        request=SimulateSerializer,
        responses=answers(
            202,
            ApprovalSerializer,
            {**READING, 400: INVALID, 404: NOT_FOUND, 409: NOTHING_OPEN, 502: STANDIN_FAILED},
        ),
        examples=[examples.SIMULATE],
    )
    def post(self, request: Request) -> Response:
        require_standin()
        asked = SimulateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        get_object_or_404(
            visible_to(request.user, Quote.objects.all()), quote_number=asked.validated_data["quote_number"]
        )
        instance = simulate(**asked.validated_data)
        shown = approvals_with_parts().get(pk=instance.pk)
        return Response(ApprovalSerializer(shown).data, status=status.HTTP_202_ACCEPTED)
