from django.db import migrations, models


class Migration(migrations.Migration):
    """What people are told of is found without walking the whole ledger."""

    dependencies = [("triage", "0014_answer_first")]

    operations = [
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(
                condition=models.Q(("kind__in", ["policy", "model"])),
                fields=["-at"],
                name="ledger_news",
            ),
        ),
    ]
