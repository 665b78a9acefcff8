from __future__ import annotations

from rest_framework.routers import SimpleRouter

from approvals.api.approval_views import ApprovalViewSet
from approvals.api.quote_views import QuoteViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("quotes", QuoteViewSet, basename="quote")
router.register("approvals", ApprovalViewSet, basename="approval")

urlpatterns = [
    *router.urls,
]
