"""Weeks and months of outcomes know how late something was by a few windows, not to the day.

Months of resolved tickets no longer tell bins of rework apart: squares and products are kept in
their place. Of days that were counted before, they are those of tickets that took as long as their
bin's mean, as they were read until now; `manage.py recount` makes them exact.
"""

from datetime import timedelta

from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

from triage.at_once import AtOnce

FILL = """
    UPDATE review_kpicount SET
        open_squares = seconds_open * seconds_open / n,
        rework_squares = seconds_rework * seconds_rework / n,
        products = seconds_rework * seconds_open / n
    WHERE span = 'day' AND n > 0
"""
# As in review/models on the day of this migration: sums, the column that tells when a row matured,
# columns of days after which something happened, and those that months leave empty.
ADDED = {
    "kpicount": (
        "n", "reassigned", "returned", "recategorised", "reopened", "seconds", "seconds_open",
        "seconds_rework", "open_squares", "rework_squares", "products",
    ),
    "outcomecount": ("n",),
    "returncount": ("n",),
}
SETTLED = {
    "kpicount": "resolved_after", "outcomecount": "settled_after", "returncount": "resolved_after",
}
LATER = ("reopened_after", "contacted_after")
HORIZON = "CASE WHEN {0} <= 7 THEN 7 WHEN {0} <= 14 THEN 14 WHEN {0} <= 30 THEN 30 END"
UNTRENDED = ("choice_id", "version_id")
LONGEST = timedelta(days=90)
# New days are few among those of years, and reports are mostly of new days.
ANALYSED = (
    "agreementcount", "changecount", "checkcount", "drawncount", "kpicount", "noveltycount",
    "outcomecount", "personday", "proposalcount", "resolvecount", "returncount", "reviewcount",
    "scoredcount", "storycount", "timecount",
)


def forwards(apps, schema_editor):
    schema_editor.execute(FILL)
    _add_up(apps, schema_editor, later=HORIZON, rework="NULL::bigint")


def backwards(apps, schema_editor):
    _add_up(apps, schema_editor, later="{0}", rework="rework_bin")
    # A table with new rows whose keys wait to be checked cannot be altered.
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _add_up(apps, schema_editor, *, later, rework):
    settled = timezone.localdate() - max(LONGEST, timedelta(days=settings.OUTCOME_WINDOW_DAYS))
    for name, added in ADDED.items():
        table = f"review_{name}"
        fields = apps.get_model("review", name)._meta.concrete_fields
        columns = [one.column for one in fields if one.name not in ("id", "day", "span", *added)]
        schema_editor.execute(f"DELETE FROM {table} WHERE span <> 'day'")
        for span in ("month",) if name == "kpicount" else ("week", "month"):
            begins = f"date_trunc('{span}', day)::date"
            told = [
                f"CASE WHEN day + {column} < %s THEN 0 ELSE {column} + (day - {begins}) END"
                if column == SETTLED[name]
                else later.format(column)
                if column in LATER
                else rework
                if column == "rework_bin"
                else "NULL::bigint"
                if span == "week" and column in UNTRENDED
                else column
                for column in columns
            ]
            sums = [f"sum({column})" for column in added]
            groups = ", ".join(str(at + 1) for at in range(2 + len(columns)))
            schema_editor.execute(
                f"INSERT INTO {table} ({', '.join(['day', 'span', *columns, *added])}) "
                f"SELECT {', '.join([begins, repr(span), *told, *sums])} "
                f"FROM {table} WHERE span = 'day' GROUP BY {groups}",
                [settled],
            )


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0021_days_alone'),
        ('triage', '0002_words_of_solved_tickets'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AtOnce([
            migrations.AlterField(
                model_name='kpicount',
                name='rework_bin',
                field=models.SmallIntegerField(null=True),
            ),
            *(
                migrations.AddField(
                    model_name='kpicount',
                    name=name,
                    field=models.FloatField(default=0),
                    preserve_default=False,
                )
                for name in ("open_squares", "rework_squares", "products")
            ),
        ]),
        migrations.RunSQL(
            [
                f"ALTER TABLE review_{name} SET (autovacuum_analyze_scale_factor = 0.01)"
                for name in ANALYSED
            ],
            [
                f"ALTER TABLE review_{name} RESET (autovacuum_analyze_scale_factor)"
                for name in ANALYSED
            ],
        ),
        # Last, for what is added waits to be checked.
        migrations.RunPython(forwards, backwards),
    ]
