from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("wecom", "0003_queue_indexes")]

    operations = [
        migrations.AlterModelOptions(
            name="directorysyncrun",
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [("sync_directory", "Can synchronise the directory")],
                "verbose_name": "directory run",
                "verbose_name_plural": "directory runs",
            },
        ),
        migrations.AlterModelOptions(
            name="externalcontact",
            options={
                "ordering": ["name", "id"],
                "permissions": [("view_customer_phone", "Can see customers' phone numbers in full")],
                "verbose_name": "customer",
                "verbose_name_plural": "customers",
            },
        ),
    ]
