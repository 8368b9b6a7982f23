"""Checks with a stated probability are counted beside the others, those of all days until now."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# As review/metrics/day_counts.py has it on the day of this migration.
COUNTED = """
    INSERT INTO review_scoredcount
        (day, span, source_id, choice_id, version_id, propensity, probability, is_right, n)
    SELECT (proposal.created_at AT TIME ZONE %s)::date, 'day', ticket.source_id, main.choice_id,
        prediction.model_version_id, spot_check.propensity, main.probability,
        coalesce(main.choice_id = truth.choice_id, false), count(*)
    FROM review_spotcheck AS spot_check
    JOIN triage_proposal AS proposal ON proposal.id = spot_check.proposal_id
    JOIN triage_ticket AS ticket ON ticket.id = proposal.ticket_id
    JOIN triage_proposedvalue AS main ON main.proposal_id = proposal.id
    JOIN triage_field AS field ON field.id = main.field_id AND field.is_main
    JOIN review_truth AS truth ON truth.check_of_id = spot_check.id AND truth.field_id = field.id
    LEFT JOIN triage_prediction AS prediction ON prediction.id = main.prediction_id
    WHERE proposal.route <> 'shadow' AND main.choice_id IS NOT NULL
        AND main.probability IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""


def count(apps, schema_editor):
    schema_editor.execute(COUNTED, [settings.TIME_ZONE])


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0019_spans'),
        ('triage', '0002_words_of_solved_tickets'),
    ]

    operations = [
        migrations.CreateModel(
            name='ScoredCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('span', models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5)),
                ('n', models.PositiveIntegerField()),
                ('propensity', models.FloatField(help_text='At which it was drawn; a weight is one by it.')),
                ('probability', models.FloatField(help_text='As the model stated it for the proposed value.')),
                ('is_right', models.BooleanField(help_text='The proposed value was.')),
                ('choice', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='triage.choice')),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='triage.source')),
                ('version', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='triage.modelversion')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='scored_count_day')],
            },
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
