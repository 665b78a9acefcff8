"""One project over REST, for staff. Whoever brings a link's token is answered by ``projects.link_lane``; what the two
have in common is described here."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.cache import add_never_cache_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest_answers import INVALID, READING_ONE, RefusalSerializer, answers, refusal
from config.rest_views import ClosedApi
from projects import access_log
from projects.models import ProjectCache, ProjectStatus, ProjectType, Role
from projects.parsing import LONGEST_ID
from projects.reading import read
from projects.refresh import find
from wecom.models import Member

VIEW = "projects.view_projectcache"
TOKEN = OpenApiParameter("token", OpenApiTypes.STR, description="A link's token, in the place of staff credentials.")


class ReadQuerySerializer(serializers.Serializer[Any]):
    use_cache = serializers.BooleanField(default=True, help_text="false: ask the library first.")
    force_sync = serializers.BooleanField(default=False, help_text="true: ask the library first.")


class ProjectFieldsSerializer(serializers.Serializer[Any]):
    """And every other field that the library gives."""

    id = serializers.CharField()
    type = serializers.ChoiceField(ProjectType.choices)
    title = serializers.CharField()
    status = serializers.ChoiceField(ProjectStatus.choices)
    customer_name = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True, help_text="Masked unless the reader may see numbers.")


class ReadingSerializer(serializers.Serializer[Any]):
    project = ProjectFieldsSerializer()
    from_cache = serializers.BooleanField(help_text="false: confirmed by the library for this very answer.")
    stale = serializers.BooleanField(help_text="A fresh copy was due or asked for, and could not be had.")
    cache_time = serializers.CharField(help_text="How long ago the copy was confirmed, in words.")
    last_sync = serializers.CharField(help_text="When the copy was confirmed.")


class AccessSerializer(serializers.Serializer[Any]):
    has_access = serializers.BooleanField(help_text="true")
    user_id = serializers.CharField()
    user_name = serializers.CharField()
    access_type = serializers.ChoiceField(Role.choices)


class NoAccessSerializer(RefusalSerializer):
    has_access = serializers.BooleanField(required=False, help_text="false")


def _refused(description: str, codes: dict[str, str]) -> OpenApiResponse:
    examples = [OpenApiExample(code, value={"detail": text, "code": code}) for code, text in codes.items()]
    return OpenApiResponse(NoAccessSerializer, description, examples=examples)


UNAUTHORIZED = _refused(
    "No credentials at all; or a link that is not ours, or is no longer valid.",
    {"token_invalid": "This link is not valid.", "token_expired": "This link has expired."},
)
FORBIDDEN = _refused(
    "A link that was withdrawn, or belongs to another project (there may be none of that ID); or staff without the "
    "right to see projects.",
    {"token_revoked": "This link has been withdrawn.", "wrong_project": "This link belongs to another project."},
)
REMOTE_FAILED = refusal(
    "Staff only: the mirror does not have it, and not all libraries could be asked.",
    "remote_failed",
    "The library did not answer in time.",
)
REFUSALS = {**READING_ONE, 401: UNAUTHORIZED, 403: FORBIDDEN, 502: REMOTE_FAILED}


class OneProject(ClosedApi):
    rights = {"GET": (VIEW,)}

    def copy(self, remote_id: str) -> ProjectCache:
        """The mirror's, or one that a library has. Raises Http404, LibrariesAway."""
        if len(remote_id) > LONGEST_ID or not remote_id.isprintable():
            raise Http404
        known = ProjectCache.objects.select_related("source").filter(remote_id=remote_id).first()
        copy = known or find(remote_id)
        if copy is None:
            raise Http404
        return copy


class ProjectView(OneProject):
    @extend_schema(
        tags=["Projects"],
        summary="Read a project",
        description="From the mirror; the library is asked first when the copy is older than the configuration allows "
        "or a fresh one is asked for, at most once in ten seconds. Without the library: the copy, marked `stale`. "
        "With a link's `token`, or for staff with the right to see projects.",
        parameters=[TOKEN, ReadQuerySerializer],
        responses=answers(200, ReadingSerializer, {**REFUSALS, 400: INVALID}),
        examples=[
            OpenApiExample(
                "From the mirror",
                response_only=True,
                status_codes=["200"],
                value={
                    "project": {
                        "id": "P-1001",
                        "type": "aftersales",
                        "title": "Spindle replacement",
                        "status": "processing",
                        "customer_name": "Hangzhou Precision",
                        "phone": "138****8888",
                        "updated_at": "2024-02-02 15:12",
                    },
                    "from_cache": True,
                    "stale": False,
                    "cache_time": "5分钟前",
                    "last_sync": "2024-02-02 15:30:00",
                },
            )
        ],
    )
    def get(self, request: Request, id: str) -> HttpResponse:  # noqa: A002 - the API's word
        query = self.asked(request, ReadQuerySerializer)
        copy = self.copy(id)
        reading = read(copy, phone_visible=request.user.has_perm("projects.view_phone"), **query)
        access_log.note_staff(request, copy.remote_id, "api")
        response = HttpResponse(reading.as_json(), content_type="application/json")
        add_never_cache_headers(response)
        return response


class VerifyAccessView(OneProject):
    @extend_schema(
        tags=["Projects"],
        summary="Ask whether somebody may see a project",
        description="Whose link it is; of staff, what they are to this project. Asks no library for a known project.",
        parameters=[TOKEN],
        responses=answers(200, AccessSerializer, REFUSALS),
        examples=[
            OpenApiExample(
                "A customer's link",
                response_only=True,
                status_codes=["200"],
                value={"has_access": True, "user_id": "C-17", "user_name": "王芳", "access_type": "customer"},
            )
        ],
    )
    def get(self, request: Request, id: str) -> Response:  # noqa: A002
        copy = self.copy(id)
        access_log.note_staff(request, copy.remote_id, "verify")
        user = cast(User, request.user)  # nobody else has the right
        return Response(
            {
                "has_access": True,
                "user_id": user.get_username(),
                "user_name": user.get_full_name() or user.get_username(),
                "access_type": _role(user, copy),
            }
        )

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        response.data = {"has_access": False, **response.data}
        return response


def _role(user: User, copy: ProjectCache) -> str:
    """What a staff user is to the project: a stakeholder through the linked WeCom member, else of the sales side."""
    userids = set(Member.objects.filter(user=user).values_list("userid", flat=True))
    roles = [person["role"] for person in copy.stakeholders if person.get("wecom_userid") in userids]
    return roles[0] if roles else Role.SALESMAN.value


urlpatterns = [
    path("projects/<str:id>", ProjectView.as_view(), name="project"),
    path("projects/<str:id>/verify-access", VerifyAccessView.as_view(), name="project-verify-access"),
]
"""After the addresses whose words stand in the place of an ID."""
