"""Links to a project, for staff: who has one, a new one (its token is told once), and revoking."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest_answers import FORBIDDEN, LISTING, NOT_FOUND, WRITING, answers
from config.rest_fields import ExactSerializer, StrictCharField, StrictIntegerField
from config.rest_views import ClosedApi, WrongState
from projects import tokens
from projects.api import examples
from projects.api.answers import LINK_REVOKED
from projects.models import ProjectAccessToken, ProjectCache, Role

LINK_STATES = ("valid", "expired", "revoked")


class LinkSerializer(serializers.ModelSerializer[ProjectAccessToken]):
    project_id = serializers.CharField(source="project.remote_id")
    state = serializers.SerializerMethodField()
    created_by = serializers.CharField(
        source="created_by.username", allow_null=True, default=None, help_text="User name; null: a command."
    )

    class Meta:
        model = ProjectAccessToken
        fields = (
            "id",
            "project_id",
            "user_id",
            "user_name",
            "access_type",
            "state",
            "created_by",
            "created_at",
            "expires_at",
            "revoked_at",
            "use_count",
            "last_used_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField([(state, state) for state in LINK_STATES]))
    def get_state(self, link: ProjectAccessToken) -> str:
        if link.revoked_at is not None:
            return "revoked"
        return "valid" if link.expires_at > timezone.now() else "expired"


class NewLinkSerializer(ExactSerializer):
    user_id = StrictCharField(max_length=100, help_text="Whom it is for, as your own system names them.")
    user_name = StrictCharField(max_length=100)
    access_type = serializers.ChoiceField(Role.choices)
    days = StrictIntegerField(min_value=1, max_value=tokens.MOST_DAYS, default=tokens.DAYS)


class IssuedLinkSerializer(LinkSerializer):
    token = serializers.CharField(help_text="Told here and never again: only a digest of it is kept.")
    url = serializers.CharField(help_text="Of the project's page, with the token.")

    class Meta(LinkSerializer.Meta):
        fields = (*LinkSerializer.Meta.fields, "token", "url")  # type: ignore[assignment]


ISSUE = ("projects.issue_links",)


def _project(remote_id: str) -> ProjectCache:
    if not remote_id.isprintable():  # PostgreSQL takes no NUL as a text
        raise Http404
    return get_object_or_404(ProjectCache, remote_id=remote_id)


class LinksView(ClosedApi, GenericAPIView[ProjectAccessToken]):
    queryset = ProjectAccessToken.objects.none()
    serializer_class = LinkSerializer
    filter_backends = ()
    rights = {"GET": ("projects.view_projectaccesstoken", *ISSUE), "POST": ISSUE}

    @extend_schema(
        tags=["Projects"],
        operation_id="project_links_list",
        summary="List a project's links",
        description="Newest first, revoked and expired ones included.",
        responses=answers(200, LinkSerializer(many=True), {**LISTING, 403: FORBIDDEN}),
    )
    def get(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the documented path
        project = _project(id)
        rows = project.links.select_related("created_by", "project").defer("project__document")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(LinkSerializer(page, many=True).data)

    @extend_schema(
        tags=["Projects"],
        operation_id="project_links_create",
        summary="Make a link",
        description="For one person to one project. The token is in this answer and nowhere else.",
        request=NewLinkSerializer,
        responses=answers(201, IssuedLinkSerializer, {**WRITING, 404: NOT_FOUND}),
        examples=[examples.NEW_LINK, examples.ISSUED_LINK],
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        values = self.sent(request, NewLinkSerializer)
        project = _project(id)
        issued = tokens.issue(project, **values, created_by=request.user)  # type: ignore[arg-type]
        answer: dict[str, Any] = {**LinkSerializer(issued.row).data, "token": issued.token, "url": issued.url}
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class RevokeLinkView(ClosedApi):
    rights = {"POST": ISSUE}

    @extend_schema(
        tags=["Projects"],
        operation_id="project_links_revoke",
        summary="Revoke a link",
        description="From now on it is refused.",
        request=None,
        responses=answers(200, LinkSerializer, {**WRITING, 404: NOT_FOUND, 409: LINK_REVOKED}),
        examples=[examples.REVOKED_LINK],
    )
    def post(self, request: Request, id: str, link_id: int) -> Response:  # noqa: A002
        rows = _project(id).links.filter(pk=link_id)
        get_object_or_404(rows)
        if not tokens.revoke(rows, request.user):  # type: ignore[arg-type]
            raise WrongState("wrong_state", _("This link is revoked already."))
        return Response(LinkSerializer(rows.select_related("created_by", "project").get()).data)
