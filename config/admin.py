"""People and access in the house's admin: users, roles, API tokens, log-in protection; and the schedules.

The libraries register plain ModelAdmins of their own; importing theirs first and registering again gives every page
one look.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from axes.models import AccessAttempt, AccessLog
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, Group, Permission
from django.db.models import ManyToManyField
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from knox import admin as knox_admin
from knox.models import AuthToken
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config import schedule_admin

__all__ = ["knox_admin", "schedule_admin"]

User = get_user_model()
for model in (User, Group, AuthToken):
    admin.site.unregister(model)


class ReadOnlyAdmin(ModelAdmin):
    """Facts: to be looked at, not to be written by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


WORDS_OF_ACTIONS = {"add": _("Can add"), "change": _("Can change"), "delete": _("Can delete"), "view": _("Can view")}


def permission_label(permission: Permission) -> str:
    """The database keeps permissions in English only; this says one in the reader's language."""
    kind = permission.content_type
    action = permission.codename.removesuffix(f"_{kind.model}")
    return f"{kind} | {WORDS_OF_ACTIONS.get(action) or gettext(permission.name)}"


class PermissionsMixin:
    def formfield_for_manytomany(self, db_field: ManyToManyField[Any, Any], *args: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, *args, **kwargs)  # type: ignore[misc]
        if db_field.related_model is Permission:
            field.label_from_instance = permission_label
        return field


@admin.register(User)
class UserAdmin(PermissionsMixin, auth_admin.UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ESCALATING = ("is_superuser", "is_staff", "groups", "user_permissions")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only a superuser hands out rights: whoever else may edit users could make themselves anything."""
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, *self.ESCALATING)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    @staticmethod
    def _may_touch(request: HttpRequest, obj: AbstractUser | None) -> bool:
        return obj is None or request.user.is_superuser or not obj.is_superuser


@admin.register(Group)
class GroupAdmin(PermissionsMixin, auth_admin.GroupAdmin, ModelAdmin):
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """As of users: whoever else may edit roles could give their own role anything."""
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, "permissions")


@admin.register(AuthToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Created by ``manage.py create_api_token`` (shown once, there); deleting one revokes it."""

    list_display = fields = readonly_fields = ("key_start", "owner", "created_at", "ends_at")
    list_select_related = ("user",)
    search_fields = ("token_key", "user__username")

    # knox gives its fields no names that could be translated; naming them on the model would ask for a migration

    @admin.display(description=_("start of the token"), ordering="token_key")
    def key_start(self, token: AuthToken) -> str:
        return token.token_key

    @admin.display(description=_("user"), ordering="user__username")
    def owner(self, token: AuthToken) -> AbstractUser:
        return token.user

    @admin.display(description=_("created at"), ordering="created")
    def created_at(self, token: AuthToken) -> datetime:
        return token.created

    @admin.display(description=_("valid until"), ordering="expiry")
    def ends_at(self, token: AuthToken) -> datetime | str:
        return token.expiry or gettext("for ever")


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnlyAdmin):
    """Failed log-ins that still count; deleting one lifts the block."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent")
    search_fields = ("username", "ip_address")
    fields = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent", "path_info")


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    list_display = ("attempt_time", "logout_time", "username", "ip_address", "user_agent")
    search_fields = ("username", "ip_address")
    fields = ("attempt_time", "logout_time", "username", "ip_address", "user_agent")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What people changed in admin; approvals keep their own history."""

    list_display = ("action_time", "user", "action_flag", "content_type", "object_repr", "what")
    list_filter = ("action_flag",)
    list_select_related = ("user", "content_type")
    search_fields = ("user__username", "object_repr")
    fields = ("action_time", "user", "action_flag", "content_type", "object_id", "object_repr", "what")
    readonly_fields = ("what",)

    @admin.display(description=_("what was changed"))
    def what(self, entry: LogEntry) -> str:
        """In words: the column holds JSON."""
        return entry.get_change_message()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


admin.site.index_title = _("Overview")
