"""Starting an approval in WeCom's own flow engine (审批流程引擎), from a page inside WeCom (docs 90269, 97202).

There is no call with which a server could start one: the JS-SDK does, on this page, in the name of whoever holds the
phone. So the page is the applicant's, and it is not proof of anything that the SDK returned: WeCom's event says whether
the form was sent off.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from approvals import links
from approvals.mobile.guard import POLICY, guarded
from approvals.mobile.rights import has_engine_page
from approvals.mobile.views import Case, of_case
from approvals.models import ApprovalInstance, InstanceStatus
from approvals.money import total_of
from config.closed_pages import Policy
from wecom.client import for_config
from wecom.errors import WeComError
from wecom.jssdk import Kind, signature_for

START, SHOW = "10001", "10002"
"""``oaType`` (doc 97202)."""
LONGEST_VALUE = 200
"""Characters of a field that WeCom's form only displays."""
SDK_HOST = "{0.scheme}://{0.netloc}".format(urlsplit(settings.WECOM_JSSDK_URL))
SDK_POLICY: Policy = {
    **POLICY,
    "script-src": [SELF, SDK_HOST],
    "connect-src": [SELF, SDK_HOST],
    "frame-src": [NONE],
    "form-action": [*POLICY["form-action"], SDK_HOST],
}
"""As on the other pages, and WeCom's script."""
KINDS: dict[str, Kind] = {"config": "corp", "agentConfig": "app"}


@guarded("GET", policy=SDK_POLICY)
@of_case
def start(request: HttpRequest, case: Case) -> HttpResponse:
    """The page with the button that opens WeCom's form."""
    instance = case.instance
    if not has_engine_page(case.visitor, instance):
        return HttpResponseRedirect(case.address)
    context = {
        "approval": instance,
        "content": instance.snapshot,
        "total": total_of(instance.snapshot),
        "is_new": instance.status == InstanceStatus.SUBMITTING,
        "sdk": settings.WECOM_JSSDK_URL,
        "call": _call(instance),
        "here": reverse("mobile:start", args=[instance.pk]),
    }
    return render(request, "mobile/start.html", context)


@guarded("GET")
@of_case
def signatures(request: HttpRequest, case: Case) -> HttpResponse:
    """``?kind=config|agentConfig&url=``: the signature of the start page, as the browser names it."""
    kind, url = KINDS.get(request.GET.get("kind", "")), request.GET.get("url", "")
    instance = case.instance
    may_ask = has_engine_page(case.visitor, instance) and _is_start_page(url, instance)
    if not may_ask or instance.config is None or kind is None:
        return JsonResponse({"detail": _("Only the page that starts an approval is signed.")}, status=400)
    try:
        made = signature_for(for_config(instance.config), kind, url)
    except WeComError as error:
        return JsonResponse({"detail": str(error)}, status=502)
    return JsonResponse({"timestamp": made.timestamp, "nonceStr": made.nonce, "signature": made.signature})


def _is_start_page(url: str, instance: ApprovalInstance) -> bool:
    """Whatever the client has added to its query; nobody gets another address of ours signed."""
    return url.partition("#")[0].partition("?")[0] == links.start(instance.pk)


def _call(instance: ApprovalInstance) -> dict[str, Any]:
    """What the page's script needs: how to register, what to open, where to ask for signatures."""
    config, content = instance.config, instance.snapshot
    fields = [
        (_("Quote"), instance.third_no, "text"),
        (_("Title"), content["title"], "text"),
        (_("Customer"), content["customer_name"], "text"),
        (_("Total"), total_of(content), "text"),
        (_("Items"), ", ".join(item["name"] for item in content["items"]), "text"),
        (_("Details"), links.page(instance.pk), "link"),
    ]
    return {
        "register": {
            "corpId": config.corp_id if config else "",
            "agentId": config.agent_id if config else 0,
            "jsApiList": ["thirdPartyOpenPage"],
        },
        "open": {
            "oaType": START if instance.status == InstanceStatus.SUBMITTING else SHOW,
            "templateId": instance.template.template_id if instance.template else "",
            "thirdNo": instance.third_no,
            "extData": {
                "fieldList": [
                    {"title": str(title), "type": kind, "value": value[:LONGEST_VALUE]}
                    for title, value, kind in fields
                    if value
                ]
            },
        },
        "signatures": reverse("mobile:signatures", args=[instance.pk]),
        "after": reverse("mobile:approval", args=[instance.pk]),
    }
