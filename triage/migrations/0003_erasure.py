from django.db import migrations, models
from django.db.models import Q

NO_WORDS = Q(subject="", body="", requester="", requester_name="", url="", resolution="")


class Migration(migrations.Migration):
    dependencies = [("triage", "0002_leases_with_tokens")]

    operations = [
        migrations.AlterModelOptions(
            name="ticket",
            options={"permissions": [("erase_ticket", "Can erase what a requester wrote")]},
        ),
        migrations.AddField(
            model_name="delivery",
            name="erased_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="ticket",
            name="erased_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(body=b""), name="erased_delivery_is_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | NO_WORDS, name="erased_ticket_has_no_words"
            ),
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("proposal", "proposal"),
                    ("decision", "decision"),
                    ("effect", "effect"),
                    ("policy", "change of policy"),
                    ("intake", "intake anomaly"),
                    ("model", "model"),
                    ("erasure", "erasure"),
                ],
                max_length=10,
            ),
        ),
    ]
