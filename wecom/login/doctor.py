"""The doctor's questions about logging in."""

from __future__ import annotations

from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.doctor import Result, failed, passed, register_check
from wecom.login.policy import CURRENT_STAFF, passwords_are_for_superusers


def log_in() -> Result:
    """Whether those who should can get in, also when WeCom is away."""
    staff = User.objects.filter(is_active=True, is_staff=True)
    with_password = staff.filter(is_superuser=True) if passwords_are_for_superusers() else staff
    if not any(is_password_usable(password) for password in with_password.values_list("password", flat=True)):
        return failed(
            _("Nobody who may log in with a password has one, so nobody could log in while WeCom is away."),
            _("Run “python manage.py createsuperuser”, or give a superuser a password."),
        )
    count = User.objects.filter(CURRENT_STAFF).count()
    return passed(_("%(count)d staff users can log in with WeCom.") % {"count": count})


register_check("wecom.login", gettext_lazy("Log-in"), log_in, place=85)
