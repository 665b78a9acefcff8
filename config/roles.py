"""Rights for the roles of the house. The groups are made by ``approvals`` and belong to the operator afterwards; an app
that comes later hands its own rights to those that still exist, once, by migration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.management import create_permissions


def make_permissions(apps: Any, labels: Iterable[str], *, using: str) -> None:
    """For migrations: Django makes the permissions of ``labels`` after the last migration only; roles need them now."""
    for label in sorted(set(labels)):
        app_config = apps.get_app_config(label)
        app_config.models_module = True
        create_permissions(app_config, apps=apps, verbosity=0, using=using)
        app_config.models_module = None


def find(permissions: Any, rights: Iterable[str]) -> list[Any]:
    """The permissions called ``rights`` ("app.codename"). ``permissions``: the manager of Permission, which in a
    migration is historical. Raises LookupError for a right that does not exist."""
    wanted = set(rights)
    apps = {right.partition(".")[0] for right in wanted}
    candidates = permissions.filter(content_type__app_label__in=apps).select_related("content_type")
    found = {f"{row.content_type.app_label}.{row.codename}": row for row in candidates}
    if missing := sorted(wanted - set(found)):
        raise LookupError(f"no such permissions: {', '.join(missing)}")
    return [found[right] for right in sorted(wanted)]


def grant(groups: Any, permissions: Any, rights: Mapping[str, Iterable[str]]) -> list[str]:
    """Add ``rights`` (group → rights) to the groups that exist; what they hold already stays. Returns their names.

    ``groups``, ``permissions``: the managers of Group and Permission. Raises LookupError as ``find`` does.
    """
    granted = []
    for group in groups.filter(name__in=rights).order_by("name"):
        group.permissions.add(*find(permissions, rights[group.name]))
        granted.append(group.name)
    return granted


def withdraw(groups: Any, permissions: Any, rights: Mapping[str, Iterable[str]]) -> None:
    """The way back of ``grant``."""
    for group in groups.filter(name__in=rights):
        group.permissions.remove(*find(permissions, rights[group.name]))


def migration_steps(rights: Mapping[str, Iterable[str]]) -> tuple[Any, Any]:
    """The two functions of a ``RunPython`` that hands ``rights`` out, and takes them back."""
    labels = {right.partition(".")[0] for held in rights.values() for right in held}

    def managers(apps: Any, alias: str) -> tuple[Any, Any]:
        return tuple(apps.get_model("auth", name).objects.using(alias) for name in ("Group", "Permission"))  # type: ignore[return-value]

    def forwards(apps: Any, schema_editor: Any) -> None:
        alias = schema_editor.connection.alias
        make_permissions(apps, labels, using=alias)
        grant(*managers(apps, alias), rights)

    def backwards(apps: Any, schema_editor: Any) -> None:
        alias = schema_editor.connection.alias
        make_permissions(apps, labels, using=alias)
        withdraw(*managers(apps, alias), rights)

    return forwards, backwards
