"""Rights of projects for the groups sales, approver, integration_admin and auditor (``projects.roles``)."""

from django.db import migrations

from config.roles import migration_steps
from projects.roles import RIGHTS


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0001_models"),
        ("approvals", "0002_roles"),  # which makes the groups
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(*migration_steps(RIGHTS))]
