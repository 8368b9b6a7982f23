from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("triage", "0013_queue"),
    ]

    operations = [
        migrations.AddField(
            model_name="waiting",
            name="blind_at",
            field=models.FloatField(
                blank=True,
                help_text="The probability at which it was drawn to be answered before the advice "
                "is shown. Empty: it was not drawn, or has been answered.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="waiting",
            constraint=models.CheckConstraint(
                condition=models.Q(("blind_at__isnull", True))
                | models.Q(("blind_at__gt", 0), ("blind_at__lte", 1)),
                name="waiting_blind_at_in_0_1",
            ),
        ),
    ]
