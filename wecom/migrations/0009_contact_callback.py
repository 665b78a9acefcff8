from django.db import migrations, models

import config.sealed


class Migration(migrations.Migration):

    dependencies = [
        ('wecom', '0008_engine_template'),
    ]

    operations = [
        migrations.AddField(
            model_name='wecomconfig',
            name='contact_callback_token',
            field=config.sealed.SealedField(blank=True, default='', help_text='Of the sync assistant, which has a pair of its own. It reports changes of members here.', verbose_name='contact callback token'),
        ),
        migrations.AddField(
            model_name='wecomconfig',
            name='contact_encoding_aes_key',
            field=config.sealed.SealedField(blank=True, default='', verbose_name='contact EncodingAESKey'),
        ),
        migrations.AlterField(
            model_name='callbackevent',
            name='credential',
            field=models.CharField(choices=[('primary', 'Primary'), ('secondary', 'Secondary'), ('contact', 'Sync assistant')], max_length=10, verbose_name='credential'),
        ),
    ]
