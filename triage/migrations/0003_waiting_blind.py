"""Those that are answered before the advice is shown are found without reading the whole queue."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('triage', '0002_words_of_solved_tickets'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='waiting',
            index=models.Index(condition=models.Q(('blind_at__isnull', False)), fields=['proposal'], name='waiting_blind'),
        ),
    ]
