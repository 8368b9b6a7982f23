from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

# What waits already: its choices, the shortest target of its priorities, and its place by them.
# The figures are those of triage/policy/worth.py on the day of this migration.
FILL = """
UPDATE triage_waiting AS waiting
SET choices = found.choices,
    with_playbook = found.with_playbook,
    target_minutes = found.target,
    look_by = waiting.since + make_interval(secs => found.target * 60 * (
        1 - 0.25 * waiting.uncertainty - 0.25 * greatest(0, waiting.novelty - 0.8) / 0.2
    ))
FROM (
    SELECT proposal.id,
        proposal.playbook_id IS NOT NULL AS with_playbook,
        coalesce(array_agg(choice.id) FILTER (WHERE choice.id IS NOT NULL), '{}') AS choices,
        coalesce(
            min(coalesce(
                choice.target_minutes,
                (ARRAY[480, 240, 60, 15])[least(choice.rank, 3) + 1]
            )) FILTER (WHERE field.is_ordered),
            240
        ) AS target
    FROM triage_waiting AS listed
    JOIN triage_proposal AS proposal ON proposal.id = listed.proposal_id
    LEFT JOIN triage_proposedvalue AS value ON value.proposal_id = proposal.id
    LEFT JOIN triage_choice AS choice ON choice.id = value.choice_id
    LEFT JOIN triage_field AS field ON field.id = choice.field_id
    GROUP BY proposal.id
) AS found
WHERE found.id = waiting.proposal_id
"""


class Migration(migrations.Migration):
    dependencies = [("triage", "0012_cockpit")]

    operations = [
        migrations.AddField(
            "waiting",
            "choices",
            ArrayField(
                base_field=models.BigIntegerField(),
                default=list,
                help_text="Ids of all choices that are proposed, so that filters need no other "
                "table.",
                size=None,
            ),
        ),
        migrations.AddField("waiting", "with_playbook", models.BooleanField(default=False)),
        migrations.AddField(
            "waiting",
            "target_minutes",
            models.PositiveIntegerField(
                default=240,
                help_text="From opening to the look that is due, by the priority.",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            "ticket", models.Index(fields=["-opened_at", "-id"], name="ticket_newest")
        ),
    ]
