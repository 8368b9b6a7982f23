"""Counts of whole days that the reports add up, so that a report costs days and not decisions.

`day` is one of the service's time zone, in which the proposals were made. The rows of one day and
source are always counted together, by review/metrics/rollups.py; nothing else writes them.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from review.models.decisions import Decision, Reason
from triage.models import Choice, Field, ModelVersion, Proposal, Source


class DayCount(models.Model):
    """What all of them are split by: the day, and the main value that was proposed.

    No choice: it was left open. No version: it did not come from a model.
    """

    day = models.DateField()
    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    choice = models.ForeignKey(Choice, models.CASCADE, null=True, related_name="+", db_index=False)
    version = models.ForeignKey(
        ModelVersion, models.CASCADE, null=True, related_name="+", db_index=False
    )
    n = models.PositiveIntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.n} of source {self.source_id} on {self.day}"


class ProposalCount(DayCount):
    """Proposals by what became of them; `escalated` of them were escalated later."""

    route = models.CharField(max_length=8, choices=Proposal.Route)
    outcome = models.CharField(max_length=12)
    is_offered = models.BooleanField(help_text="There was something to accept.")
    is_by_model = models.BooleanField(help_text="The main value came from a model.")
    escalated = models.PositiveIntegerField()

    class Meta(DayCount.Meta):
        indexes = [models.Index(fields=["day", "source"], name="proposal_count_day")]


class ChangeCount(models.Model):
    """Decided values by what was proposed, what it became, and why."""

    day = models.DateField()
    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    field = models.ForeignKey(Field, models.CASCADE, related_name="+", db_index=False)
    proposed = models.ForeignKey(
        Choice, models.CASCADE, null=True, related_name="+", db_index=False
    )
    final = models.ForeignKey(Choice, models.CASCADE, null=True, related_name="+", db_index=False)
    reason = models.ForeignKey(Reason, models.CASCADE, null=True, related_name="+", db_index=False)
    n = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["day", "source"], name="change_count_day")]

    def __str__(self) -> str:
        return f"{self.n} of field {self.field_id} on {self.day}"


class TimeBin(DayCount):
    """Decisions by how long they took: one row for each bin of review/metrics/bins.py."""

    verdict = models.CharField(max_length=10, choices=Decision.Verdict)
    bin = models.SmallIntegerField()
    seconds = models.FloatField(help_text="Of all together, for the mean of the bin.")

    class Meta(DayCount.Meta):
        abstract = True


class TimeCount(TimeBin):
    class Meta(TimeBin.Meta):
        indexes = [models.Index(fields=["day", "source"], name="time_count_day")]


class TimeWeek(TimeBin):
    """The same of whole weeks, each under its Monday: bins would be as many rows as decisions."""

    class Meta(TimeBin.Meta):
        indexes = [models.Index(fields=["day", "source"], name="time_week_day")]


class ReviewCount(models.Model):
    """Reviews that followed another of the same person, by how long they took; and skips.

    Of a source as a whole: how people work is not told by category. `whole_seconds` tells accepts
    apart below MOST_SECONDS; every other row has MOST_SECONDS. `squares` are the sum of the
    squares of the seconds.
    """

    MOST_SECONDS = 30
    SKIPPED = "skipped"

    day = models.DateField()
    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    verdict = models.CharField(max_length=10)
    whole_seconds = models.PositiveSmallIntegerField()
    n = models.PositiveIntegerField()
    seconds = models.FloatField()
    squares = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["day", "source"], name="review_count_day")]

    def __str__(self) -> str:
        return f"{self.n} of source {self.source_id} on {self.day}"


class OutcomeCount(DayCount):
    """Settled proposals by when they were settled and when they were reopened.

    settled_after : days from the day of the proposal to the day on which it was settled
    reopened_after : begun spans of 24 hours from then to the first reopening; none: never
    """

    outcome = models.CharField(max_length=12)
    settled_after = models.IntegerField()
    reopened_after = models.PositiveIntegerField(null=True)

    class Meta(DayCount.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(reopened_after__isnull=True) | Q(reopened_after__gt=0),
                name="outcome_count_reopened_later",
            )
        ]
        indexes = [models.Index(fields=["day", "source"], name="outcome_count_day")]


class CheckCount(DayCount):
    """Checked proposals whose truth is known, by what the AI, the person and the truth said.

    All of the main value. A person who kept the proposed value accepted it, whatever became of
    other fields. Nothing of a person: nobody decided, or gave no blind answer before.
    """

    is_auto = models.BooleanField(help_text="It was applied without a person.")
    propensity = models.FloatField(help_text="At which it was drawn; a weight is one by it.")
    is_twice = models.BooleanField(help_text="Two people at least stand behind the truth.")
    is_right = models.BooleanField(help_text="The proposed value was.")
    kept = models.BooleanField(null=True, help_text="The person kept the proposed value.")
    final_right = models.BooleanField(null=True)
    first_right = models.BooleanField(null=True, help_text="What the person answered blind was.")
    first_agreed = models.BooleanField(null=True, help_text="It was what the AI proposed.")
    reason = models.ForeignKey(Reason, models.CASCADE, null=True, related_name="+", db_index=False)

    class Meta(DayCount.Meta):
        indexes = [models.Index(fields=["day", "source"], name="check_count_day")]


class PersonDay(models.Model):
    """That somebody decided something of a group on a day: small groups of people are not shown.

    No count beside it, so that no figure of a person could be read from here.
    """

    day = models.DateField()
    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    choice = models.ForeignKey(Choice, models.CASCADE, null=True, related_name="+", db_index=False)
    version = models.ForeignKey(
        ModelVersion, models.CASCADE, null=True, related_name="+", db_index=False
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False
    )

    class Meta:
        # Nobody looks at it, auditors neither.
        default_permissions = ()
        indexes = [models.Index(fields=["day", "source"], name="person_day_day")]

    def __str__(self) -> str:
        return f"somebody of source {self.source_id} on {self.day}"


class DrawnCount(DayCount):
    """Checks that came before a person, by how far they are: review/metrics/truth_cohorts.py."""

    state = models.CharField(max_length=8)

    class Meta(DayCount.Meta):
        indexes = [models.Index(fields=["day", "source"], name="drawn_count_day")]


class AgreementCount(DayCount):
    """Fields that two people answered blind, by what each chose, and what came of it.

    No choice: could not tell.
    """

    field = models.ForeignKey(Field, models.CASCADE, related_name="+", db_index=False)
    first = models.ForeignKey(Choice, models.CASCADE, null=True, related_name="+", db_index=False)
    second = models.ForeignKey(Choice, models.CASCADE, null=True, related_name="+", db_index=False)
    verdict = models.CharField(max_length=12)

    class Meta(DayCount.Meta):
        indexes = [models.Index(fields=["day", "source"], name="agreement_count_day")]
