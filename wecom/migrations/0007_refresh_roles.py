"""Rights of the contacts to read anew for the groups integration_admin and auditor (``wecom.roles``)."""

from django.db import migrations

from config.roles import migration_steps
from wecom.roles import REFRESH_RIGHTS


class Migration(migrations.Migration):
    dependencies = [
        ("wecom", "0006_contact_refreshes"),
        ("approvals", "0002_roles"),  # which makes the groups
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(*migration_steps(REFRESH_RIGHTS))]
