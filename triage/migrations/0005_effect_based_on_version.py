from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("triage", "0004_find_deliveries_among_many")]

    operations = [
        migrations.AddField(
            model_name="effect",
            name="based_on_version",
            field=models.BigIntegerField(
                blank=True,
                help_text="The helpdesk's version that our own write followed; on record before it leaves.",
                null=True,
            ),
        ),
    ]
