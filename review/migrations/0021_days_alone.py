"""Windows of single days are looked up among days alone, not among weeks and months as well."""

from django.conf import settings
from django.db import migrations, models

from triage.at_once import AtOnce


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0020_scored_count'),
        ('triage', '0002_words_of_solved_tickets'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AtOnce([
            migrations.RemoveIndex(
                model_name='agreementcount',
                name='agreement_count_day',
            ),
            migrations.RemoveIndex(
                model_name='changecount',
                name='change_count_day',
            ),
            migrations.RemoveIndex(
                model_name='checkcount',
                name='check_count_day',
            ),
            migrations.RemoveIndex(
                model_name='drawncount',
                name='drawn_count_day',
            ),
            migrations.RemoveIndex(
                model_name='kpicount',
                name='kpi_count_day',
            ),
            migrations.RemoveIndex(
                model_name='noveltycount',
                name='novelty_count_day',
            ),
            migrations.RemoveIndex(
                model_name='outcomecount',
                name='outcome_count_day',
            ),
            migrations.RemoveIndex(
                model_name='personday',
                name='person_day_day',
            ),
            migrations.RemoveIndex(
                model_name='proposalcount',
                name='proposal_count_day',
            ),
            migrations.RemoveIndex(
                model_name='resolvecount',
                name='resolve_count_day',
            ),
            migrations.RemoveIndex(
                model_name='returncount',
                name='return_count_day',
            ),
            migrations.RemoveIndex(
                model_name='reviewcount',
                name='review_count_day',
            ),
            migrations.RemoveIndex(
                model_name='storycount',
                name='story_count_day',
            ),
            migrations.RemoveIndex(
                model_name='timecount',
                name='time_count_day',
            ),
            migrations.AddIndex(
                model_name='agreementcount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='agreement_count_day'),
            ),
            migrations.AddIndex(
                model_name='changecount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='change_count_day'),
            ),
            migrations.AddIndex(
                model_name='checkcount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='check_count_day'),
            ),
            migrations.AddIndex(
                model_name='drawncount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='drawn_count_day'),
            ),
            migrations.AddIndex(
                model_name='kpicount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['source', 'day'], name='kpi_count_day'),
            ),
            migrations.AddIndex(
                model_name='noveltycount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='novelty_count_day'),
            ),
            migrations.AddIndex(
                model_name='outcomecount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='outcome_count_day'),
            ),
            migrations.AddIndex(
                model_name='personday',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='person_day_day'),
            ),
            migrations.AddIndex(
                model_name='proposalcount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='proposal_count_day'),
            ),
            migrations.AddIndex(
                model_name='resolvecount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='resolve_count_day'),
            ),
            migrations.AddIndex(
                model_name='returncount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='return_count_day'),
            ),
            migrations.AddIndex(
                model_name='reviewcount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='review_count_day'),
            ),
            migrations.AddIndex(
                model_name='storycount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='story_count_day'),
            ),
            migrations.AddIndex(
                model_name='timecount',
                index=models.Index(condition=models.Q(('span', 'day')), fields=['day', 'source'], name='time_count_day'),
            ),
        ]),
    ]
