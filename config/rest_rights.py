"""Who may call what: a view names the rights that each of its methods needs."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request


class NeedsRight(BasePermission):
    """``view.rights``: method ("GET" stands for HEAD and OPTIONS too) → rights, any of which is enough. One that is
    not named there is nobody's, unless the view does not have it at all: that answers 405."""

    code = "not_allowed"
    message = _("You are not allowed to do this.")

    def has_permission(self, request: Request, view: Any) -> bool:
        method = "GET" if request.method in SAFE_METHODS else str(request.method)
        if method not in view.rights:
            return not hasattr(view, method.lower())
        return any(map(request.user.has_perm, view.rights[method]))
