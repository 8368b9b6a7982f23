"""Counts of days are kept added up over weeks and months as well, in the same tables."""

from datetime import timedelta

from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

from triage.at_once import AtOnce

# Sums of each kind of count, and the column of days since `day` that tells when a row matured; as
# in review/models on the day of this migration.
ADDED = {
    "AgreementCount": ("n",),
    "ChangeCount": ("n",),
    "CheckCount": ("n",),
    "DrawnCount": ("n",),
    "KpiCount": (
        "n", "reassigned", "returned", "recategorised", "reopened", "seconds", "seconds_open",
        "seconds_rework",
    ),
    "NoveltyCount": ("n",),
    "OutcomeCount": ("n",),
    "PersonDay": (),
    "ProposalCount": ("n", "escalated"),
    "ResolveCount": ("n", "seconds"),
    "ReturnCount": ("n",),
    "ReviewCount": ("n", "seconds", "squares"),
    "StoryCount": (
        "n", "reassigned", "recategorised", "returned", "resolved", "rework", "whole",
        "rework_squares", "whole_squares", "rework_products", "watched", "worked", "handled",
        "worked_squares", "handled_squares", "worked_products",
    ),
    "TimeCount": ("n", "seconds"),
}
# Weeks are of all choices and versions together, but of one; some have none.
UNTRENDED = ("choice_id", "version_id")
OF_EACH = "TimeCount"
WITHOUT_WEEKS = {"AgreementCount", "ChangeCount", "DrawnCount", "KpiCount"}
SETTLED = {
    "KpiCount": "resolved_after",
    "OutcomeCount": "settled_after",
    "ReturnCount": "resolved_after",
}
LONGEST = timedelta(days=90)


def add_up(apps, schema_editor):
    """All days that were counted before; nobody has to count them anew."""
    longest = max(LONGEST, timedelta(days=settings.OUTCOME_WINDOW_DAYS))
    settled = timezone.localdate() - longest
    for name, added in ADDED.items():
        model = apps.get_model("review", name)
        columns = [
            field.column
            for field in model._meta.concrete_fields
            if field.name not in ("id", "day", "span", *added)
        ]
        for span in ("month",) if name in WITHOUT_WEEKS else ("week", "month"):
            begins = f"date_trunc('{span}', day)::date"
            told = [
                f"CASE WHEN day + {column} < %s THEN 0 ELSE {column} + (day - {begins}) END"
                if column == SETTLED.get(name)
                else "NULL::bigint"
                if span == "week" and column in UNTRENDED and name != OF_EACH
                else column
                for column in columns
            ]
            sums = [f"sum({column})" for column in added]
            groups = ", ".join(str(at + 1) for at in range(2 + len(columns)))
            schema_editor.execute(
                f"INSERT INTO {model._meta.db_table} ({', '.join(['day', 'span', *columns, *added])}) "
                f"SELECT {', '.join([begins, repr(span), *told, *sums])} "
                f"FROM {model._meta.db_table} WHERE span = 'day' GROUP BY {groups}",
                [settled] if name in SETTLED else [],
            )


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0001_squashed_0018'),
        ('triage', '0002_words_of_solved_tickets'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AtOnce([
            migrations.AddField(
                model_name='agreementcount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='changecount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='checkcount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='drawncount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='kpicount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='noveltycount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='outcomecount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='personday',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='proposalcount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='resolvecount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='returncount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='reviewcount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='storycount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddField(
                model_name='timecount',
                name='span',
                field=models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month')], default='day', max_length=5),
            ),
            migrations.AddIndex(
                model_name='agreementcount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='agreement_count_span'),
            ),
            migrations.AddIndex(
                model_name='changecount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='change_count_span'),
            ),
            migrations.AddIndex(
                model_name='checkcount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='check_count_span'),
            ),
            migrations.AddIndex(
                model_name='drawncount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='drawn_count_span'),
            ),
            migrations.AddIndex(
                model_name='kpicount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='kpi_count_span'),
            ),
            migrations.AddIndex(
                model_name='noveltycount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='novelty_count_span'),
            ),
            migrations.AddIndex(
                model_name='outcomecount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='outcome_count_span'),
            ),
            migrations.AddIndex(
                model_name='personday',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='person_day_span'),
            ),
            migrations.AddIndex(
                model_name='proposalcount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='proposal_count_span'),
            ),
            migrations.AddIndex(
                model_name='resolvecount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='resolve_count_span'),
            ),
            migrations.AddIndex(
                model_name='returncount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='return_count_span'),
            ),
            migrations.AddIndex(
                model_name='reviewcount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='review_count_span'),
            ),
            migrations.AddIndex(
                model_name='storycount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='story_count_span'),
            ),
            migrations.AddIndex(
                model_name='timecount',
                index=models.Index(condition=models.Q(('span', 'day'), _negated=True), fields=['span', 'day'], name='time_count_span'),
            ),
        ]),
        migrations.DeleteModel(
            name='ResolveWeek',
        ),
        migrations.DeleteModel(
            name='TimeWeek',
        ),
        migrations.RunPython(add_up, migrations.RunPython.noop),
    ]
