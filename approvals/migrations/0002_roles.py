"""The groups sales, approver, integration_admin and auditor (``approvals.roles``)."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from approvals.roles import ROLES, create_roles
from config.roles import make_permissions


def create(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    alias = schema_editor.connection.alias
    labels = {right.partition(".")[0] for rights in ROLES.values() for right in rights}
    make_permissions(apps, labels, using=alias)
    create_roles(
        apps.get_model("auth", "Group").objects.using(alias), apps.get_model("auth", "Permission").objects.using(alias)
    )


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias).filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0001_initial"),
        ("wecom", "0001_initial"),
        ("notifications", "0001_initial"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("django_celery_beat", "__latest__"),
    ]

    operations = [migrations.RunPython(create, remove)]
