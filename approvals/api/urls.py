from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from approvals.api.approval_views import ApprovalViewSet
from approvals.api.batch_views import BatchViewSet
from approvals.api.quote_views import QuoteViewSet
from approvals.api.simulation import SimulateApproval

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("quotes", QuoteViewSet, basename="quote")
router.register("approvals/batch", BatchViewSet, basename="batch")
router.register("approvals", ApprovalViewSet, basename="approval")

urlpatterns = [
    path("v1/wecom-callback/simulate-approval", SimulateApproval.as_view(), name="simulate-approval"),
    *router.urls,
]
