from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("review", "0003_newest_on_a_choice"),
    ]

    operations = [
        migrations.AddField(
            "savedview",
            "is_default",
            models.BooleanField(default=False, help_text="The owner's queue begins with it."),
        ),
        migrations.AlterModelOptions(
            "savedview",
            options={
                "ordering": ["name", "pk"],
                "permissions": [
                    ("unshare_savedview", "Can take a shared view from everybody but its owner")
                ],
            },
        ),
        migrations.AddConstraint(
            "savedview",
            models.UniqueConstraint(
                fields=["owner"], condition=models.Q(("is_default", True)), name="one_default_view"
            ),
        ),
    ]
