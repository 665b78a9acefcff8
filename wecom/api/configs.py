"""The company's WeCom apps over REST: enter credentials, see what they may do."""

from __future__ import annotations

from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest_answers import FORBIDDEN, NOT_FOUND, READING, READING_ONE, WRITING, answers, refusal
from config.rest_views import ClosedApi, WrongState
from wecom.api import config_examples as examples
from wecom.api.config_serializers import (
    ConnectionTestAnswerSerializer,
    ConnectionTestSerializer,
    WeWorkConfigSerializer,
    WeWorkConfigsSerializer,
    shown,
)
from wecom.config_saving import InUse, delete_config, lock_all, save_config
from wecom.models import Capability, WeComConfig
from wecom.probe import Probed, explain, probe, probe_and_keep

logger = structlog.get_logger(__name__)

TAGS = ["WeWork"]
SEEING = ("wecom.view_wecomconfig", "wecom.change_wecomconfig")
IN_USE = refusal("Rows of this system need the app.", "in_use", "This app is needed by 3 members.")
CONNECTION = (Capability.TOKEN, Capability.TRUSTED_IP)
_CONFIGS = WeComConfig.objects.prefetch_related("capabilities")


class ConfigsView(ClosedApi):
    rights = {"GET": SEEING, "POST": ("wecom.add_wecomconfig",)}

    @extend_schema(
        tags=TAGS,
        operation_id="wework_configs_list",
        summary="List the WeCom apps",
        description="All of them, the default app first. Secrets show as `******`.",
        responses=answers(200, WeWorkConfigsSerializer, {**READING, 403: FORBIDDEN}),
    )
    def get(self, request: Request) -> Response:
        configs = WeComConfig.objects.order_by("-is_default", "pk").prefetch_related("capabilities")
        return Response({"configs": WeWorkConfigSerializer(configs, many=True).data})

    @extend_schema(
        tags=TAGS,
        operation_id="wework_configs_create",
        summary="Add a WeCom app",
        description="`POST /api/wework/config/test` with its `id` then tells what it may do.",
        request=WeWorkConfigSerializer,
        responses=answers(201, WeWorkConfigSerializer, WRITING),
        examples=[examples.NEW_CONFIG, examples.CREATED_CONFIG],
    )
    def post(self, request: Request) -> Response:
        config = WeComConfig(**_named(self.sent(request, WeWorkConfigSerializer)))
        _save(config)
        return Response(WeWorkConfigSerializer(config).data, status=status.HTTP_201_CREATED)


class ConfigView(ClosedApi):
    rights = {"GET": SEEING, "PUT": ("wecom.change_wecomconfig",), "DELETE": ("wecom.delete_wecomconfig",)}

    @extend_schema(
        tags=TAGS,
        operation_id="wework_configs_read",
        summary="Read a WeCom app",
        responses=answers(200, WeWorkConfigSerializer, {**READING_ONE, 403: FORBIDDEN}),
        examples=[examples.CONFIG],
    )
    def get(self, request: Request, id: int) -> Response:  # noqa: A002 - the name in the documented path
        return Response(WeWorkConfigSerializer(_config(id)).data)

    @extend_schema(
        tags=TAGS,
        operation_id="wework_configs_update",
        summary="Change a WeCom app",
        description="What is left out stays, as does a secret sent back as `******`; an empty one is removed.",
        request=WeWorkConfigSerializer(partial=True),
        responses=answers(200, WeWorkConfigSerializer, {**WRITING, 404: NOT_FOUND}),
        examples=[examples.CHANGED_CONFIG, examples.CONFIG],
    )
    def put(self, request: Request, id: int) -> Response:  # noqa: A002
        with transaction.atomic():  # what is left out must stay as it is by now
            lock_all()
            config = _config(id)
            serializer = WeWorkConfigSerializer(config, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            for name, value in serializer.validated_data.items():
                setattr(config, name, value)
            _save(config)
        return Response(WeWorkConfigSerializer(config).data)

    @extend_schema(
        tags=TAGS,
        operation_id="wework_configs_delete",
        summary="Delete a WeCom app",
        description="Only one that nothing needs: no callbacks, members, customers, runs, approvals or templates. "
        "Disable the others.",
        responses=answers(204, None, {**READING_ONE, 403: FORBIDDEN, 409: IN_USE}),
    )
    def delete(self, request: Request, id: int) -> Response:  # noqa: A002
        config = _config(id)
        try:
            delete_config(config)
        except InUse as error:
            raise WrongState("in_use", str(error.sentence)) from error
        logger.info("wecom_config_deleted", app=config.slug)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ConnectionTestView(ClosedApi):
    rights = {"POST": ("wecom.add_wecomconfig", "wecom.change_wecomconfig")}

    @extend_schema(
        tags=TAGS,
        operation_id="wework_configs_test",
        summary="Test the connection, and what an app may do",
        description="Asks WeCom with calls that change nothing and reach nobody; takes some seconds. What is found of "
        "a stored app is kept with it. That the test fails is an answer (200, `success` false), not an error.",
        request=ConnectionTestSerializer,
        responses=answers(200, ConnectionTestAnswerSerializer, {**WRITING, 404: NOT_FOUND}),
        examples=[examples.TEST_STORED, examples.TEST_NEW, examples.TESTED],
    )
    def post(self, request: Request) -> Response:
        values = self.sent(request, ConnectionTestSerializer)
        number = values.pop("id", None)
        config = _config(number) if number is not None else WeComConfig()
        for name, value in values.items():
            setattr(config, name, value)
        if number is not None and not values:
            found = probe_and_keep(config)
        else:  # the callback belongs to a stored app
            found = list(probe(config, [one for one in Capability if one is not Capability.CALLBACK]))
        return Response(_tested(found, config))


def _tested(found: list[Probed], config: WeComConfig) -> dict[str, Any]:
    trouble = next((one for one in found if one.capability in CONNECTION and not one.ok), None)
    said = explain(trouble, config) if trouble else None
    answer = {
        "success": trouble is None,
        "message": said.sentence if said else _("The connection works."),
        "remedy": said.remedy if said else "",
        "capabilities": [shown(one, config, timezone.now()) for one in found],
    }
    return dict(ConnectionTestAnswerSerializer(answer).data)


def _config(number: int) -> WeComConfig:
    return get_object_or_404(_CONFIGS.all(), pk=number)


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """With a name and a slug, which the contract's own shape does not have."""
    agent = values["agent_id"]
    values.setdefault("name", f"{_('WeCom')} {agent}")
    if "slug" not in values:
        taken = set(WeComConfig.objects.filter(slug__startswith=f"app-{agent}").values_list("slug", flat=True))
        slugs = [f"app-{agent}", *(f"app-{agent}-{number}" for number in range(2, len(taken) + 3))]
        values["slug"] = next(slug for slug in slugs if slug not in taken)
    return values


def _save(config: WeComConfig) -> None:
    """Raises ValidationError when somebody else took the slug, or the mark of the default, at the same moment."""
    new = config.pk is None
    try:
        with transaction.atomic():
            save_config(config)
    except IntegrityError as error:
        sentence = _("Somebody else saved an app at the same moment. Try again.")
        raise serializers.ValidationError({"slug": [sentence]}) from error
    logger.info("wecom_config_saved", app=config.slug, new=new)
