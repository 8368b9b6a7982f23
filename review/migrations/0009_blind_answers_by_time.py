from django.db import migrations, models


class Migration(migrations.Migration):
    """Blind answers are counted by when they were given."""

    dependencies = [("review", "0008_definitions")]

    operations = [
        migrations.AddIndex(
            model_name="blindanswer",
            index=models.Index(fields=["answered_at"], name="blind_answer_by_time"),
        ),
    ]
