"""Sight of cards and batches for the groups that see approvals (``approvals.roles``)."""

from django.db import migrations

from approvals.roles import LATER_PAGES
from config.roles import migration_steps


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0005_card_replacements"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(*migration_steps(LATER_PAGES))]
