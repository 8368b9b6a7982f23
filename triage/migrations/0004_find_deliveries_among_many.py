import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("triage", "0003_erasure")]

    operations = [
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["source", "-received_at"], name="delivery_of_source"),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="triage.source",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=~Q(outcome__in=["", "applied"]),
                fields=["outcome", "-received_at"],
                name="delivery_notable",
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=Q(dead_at__isnull=False), fields=["kind", "subject"], name="job_dead"
            ),
        ),
    ]
