from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("triage", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="token",
            field=models.UUIDField(blank=True, help_text="Of the claim that holds it.", null=True),
        ),
        migrations.AlterField(
            model_name="job",
            name="kind",
            field=models.CharField(
                choices=[
                    ("receive", "read a delivery"),
                    ("propose", "triage a ticket"),
                    ("effect", "change the helpdesk"),
                    ("notice", "mail a notice"),
                    ("evidence", "work out why"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="job",
            name="subject",
            field=models.BigIntegerField(
                help_text="Primary key of the delivery, ticket version, proposal, ..."
            ),
        ),
    ]
