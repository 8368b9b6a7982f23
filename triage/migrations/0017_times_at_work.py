from django.db import migrations, models


class Migration(migrations.Migration):
    """Events say since when somebody works on a ticket, and what or whom it waits for."""

    dependencies = [("triage", "0016_counted_days")]

    operations = [
        migrations.AlterField(
            model_name="ticketevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("reassigned", "reassigned"),
                    ("recategorised", "recategorised"),
                    ("escalated", "escalated"),
                    ("started", "work started"),
                    ("paused", "waiting within the helpdesk"),
                    ("awaiting", "waiting for the requester"),
                    ("resolved", "resolved"),
                    ("reopened", "reopened"),
                    ("closed", "closed"),
                    ("rated", "rated"),
                    ("commented", "commented"),
                ],
                max_length=14,
            ),
        ),
    ]
