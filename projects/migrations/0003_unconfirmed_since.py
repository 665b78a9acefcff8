from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_roles")]

    operations = [
        migrations.AddField(
            model_name="projectcache",
            name="unconfirmed_since",
            field=models.DateTimeField(
                blank=True,
                help_text="Its library gives nothing usable for it, or its type is not synchronised any more.",
                null=True,
                verbose_name="not confirmed since",
            ),
        ),
    ]
