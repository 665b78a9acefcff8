"""The words of a project: its types and its states."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ProjectType(models.TextChoices):
    PRESALE = "presale", _("Presale")
    AFTERSALES = "aftersales", _("After-sales")
    SALES = "sales", _("Sales")


class ProjectStatus(models.TextChoices):
    PENDING = "pending", pgettext_lazy("project", "Pending")
    PROCESSING = "processing", pgettext_lazy("project", "In progress")
    RESOLVED = "resolved", pgettext_lazy("project", "Resolved")
    SHIPPED = "shipped", pgettext_lazy("project", "Shipped")
    COMPLETED = "completed", pgettext_lazy("project", "Completed")


class Role(models.TextChoices):
    """What somebody is to a project: a stakeholder's role, and the access type of a link."""

    CUSTOMER = "customer", _("Customer")
    ENGINEER = "engineer", _("Engineer")
    SALESMAN = "salesman", _("Salesman")


def all_types() -> list[str]:
    """Default of the columns that hold a list of types."""
    return list(ProjectType.values)


def staff_roles() -> list[str]:
    """Default of the columns that hold the roles of our own people."""
    return [Role.ENGINEER.value, Role.SALESMAN.value]
