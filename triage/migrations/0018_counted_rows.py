from django.db import migrations, models


class Migration(migrations.Migration):
    """Counters of rows are kept, and what they and the error budgets ask for is found by index."""

    dependencies = [("triage", "0017_times_at_work")]

    operations = [
        migrations.CreateModel(
            name="TallyMark",
            fields=[
                (
                    "name",
                    models.CharField(max_length=60, primary_key=True, serialize=False),
                ),
                ("upto", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        blank=True, help_text="Empty where all are one.", max_length=40
                    ),
                ),
                ("total", models.BigIntegerField()),
                (
                    "mark",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.deletion.CASCADE,
                        related_name="tallies",
                        to="triage.tallymark",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "tallies",
                "constraints": [
                    models.UniqueConstraint(fields=("mark", "value"), name="tally_once")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="effect",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)),
                fields=["finished_at"],
                name="effect_finished",
            ),
        ),
        migrations.AddIndex(
            model_name="label",
            index=models.Index(
                condition=models.Q(("origin", "spot_check")),
                fields=["field", "-created_at"],
                name="label_of_check",
            ),
        ),
    ]
