"""Counts of whole days that the reports add up, so that a report costs days and not decisions.

`day` is one of the service's time zone, in which the proposals were made. The rows of one day and
source are always counted together, by review/metrics/rollups.py; nothing else writes them.
"""

from enum import StrEnum
from typing import ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from review.models.decisions import Decision, Reason
from triage.models import Choice, Field, ModelVersion, Proposal, Source

Counted = TypeVar("Counted", bound=models.Model)
# Outcome windows that spans know of, in days; figures of any other are read from days alone.
HORIZONS = (7, 14, 30)


class Span(models.TextChoices):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Weeks(StrEnum):
    """What weeks are kept for: a trend, which is of all choices and versions together; or each of
    them, where a month has too many rows of days.
    """

    OF_ALL = "of all"
    OF_EACH = "of each"
    NONE = "none"


class OfDays(models.Manager[Counted]):
    def get_queryset(self) -> models.QuerySet[Counted]:
        return super().get_queryset().filter(span=Span.DAY)


class Spanned(models.Model):
    """Rows of single days, and beside them the same added up over whole weeks and months.

    A week stands under its Monday, a month under its first. `objects` are the rows of days alone,
    so that nothing is counted twice; `spans` has all. Of ADDED a span has the sums; the other
    columns tell its rows apart, but for those of DAYS_ALONE, which it leaves empty, and of LATER,
    after how many days something happened, of which it says the next of HORIZONS. SETTLED is a
    column of days since `day`, if there is one: see review/metrics/span_counts.py, which reads and
    writes spans.
    """

    ADDED: ClassVar[tuple[str, ...]] = ("n",)
    WEEKS: ClassVar[Weeks] = Weeks.OF_ALL
    # False: so few rows are alike that a month would have as many as its days.
    HAS_SPANS: ClassVar[bool] = True
    SETTLED: ClassVar[str] = ""
    LATER: ClassVar[tuple[str, ...]] = ()
    DAYS_ALONE: ClassVar[tuple[str, ...]] = ()

    day = models.DateField()
    span = models.CharField(max_length=5, choices=Span, default=Span.DAY)
    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)

    objects: ClassVar[OfDays[Self]] = OfDays()
    spans: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        abstract = True


def by_span(name: str) -> models.Index:
    return models.Index(fields=["span", "day"], condition=~Q(span=Span.DAY), name=f"{name}_span")


def by_day(name: str, *fields: str) -> models.Index:
    """Of days alone: a month stands under its first day and has as many rows as several days."""
    return models.Index(
        fields=fields or ("day", "source"), condition=Q(span=Span.DAY), name=f"{name}_day"
    )


def by_day_and_span(name: str) -> list[models.Index]:
    return [by_day(name), by_span(name)]


class DayCount(Spanned):
    """What most of them are split by: the day, and the main value that was proposed.

    No choice: it was left open. No version: it did not come from a model.
    """

    choice = models.ForeignKey(Choice, models.CASCADE, null=True, related_name="+", db_index=False)
    version = models.ForeignKey(
        ModelVersion, models.CASCADE, null=True, related_name="+", db_index=False
    )
    n = models.PositiveIntegerField()

    class Meta(Spanned.Meta):
        abstract = True

    def __str__(self) -> str:
        return f"{self.n} of source {self.source_id} on {self.day}"


class ProposalCount(DayCount):
    """Proposals by what became of them; `escalated` of them were escalated later."""

    ADDED = ("n", "escalated")

    route = models.CharField(max_length=8, choices=Proposal.Route)
    outcome = models.CharField(max_length=12)
    is_offered = models.BooleanField(help_text="There was something to accept.")
    is_by_model = models.BooleanField(help_text="The main value came from a model.")
    escalated = models.PositiveIntegerField()

    class Meta(DayCount.Meta):
        indexes = by_day_and_span("proposal_count")


class ChangeCount(Spanned):
    """Decided values by what was proposed, what it became, and why."""

    WEEKS = Weeks.NONE

    field = models.ForeignKey(Field, models.CASCADE, related_name="+", db_index=False)
    proposed = models.ForeignKey(
        Choice, models.CASCADE, null=True, related_name="+", db_index=False
    )
    final = models.ForeignKey(Choice, models.CASCADE, null=True, related_name="+", db_index=False)
    reason = models.ForeignKey(Reason, models.CASCADE, null=True, related_name="+", db_index=False)
    n = models.PositiveIntegerField()

    class Meta(Spanned.Meta):
        indexes = by_day_and_span("change_count")

    def __str__(self) -> str:
        return f"{self.n} of field {self.field_id} on {self.day}"


class TimeCount(DayCount):
    """Decisions by how long they took: one row for each bin of review/metrics/bins.py."""

    ADDED = ("n", "seconds")
    WEEKS = Weeks.OF_EACH

    verdict = models.CharField(max_length=10, choices=Decision.Verdict)
    bin = models.SmallIntegerField()
    seconds = models.FloatField(help_text="Of all together, for the mean of the bin.")

    class Meta(DayCount.Meta):
        indexes = by_day_and_span("time_count")


class ReviewCount(Spanned):
    """Reviews that followed another of the same person, by how long they took; and skips.

    Of a source as a whole: how people work is not told by category. `whole_seconds` tells accepts
    apart below MOST_SECONDS; every other row has MOST_SECONDS. `squares` are the sum of the
    squares of the seconds.
    """

    ADDED = ("n", "seconds", "squares")
    MOST_SECONDS = 30
    SKIPPED = "skipped"

    verdict = models.CharField(max_length=10)
    whole_seconds = models.PositiveSmallIntegerField()
    n = models.PositiveIntegerField()
    seconds = models.FloatField()
    squares = models.FloatField()

    class Meta(Spanned.Meta):
        indexes = by_day_and_span("review_count")

    def __str__(self) -> str:
        return f"{self.n} of source {self.source_id} on {self.day}"


class OutcomeCount(DayCount):
    """Settled proposals by when they were settled and when they were reopened.

    settled_after : days from the day of the proposal to the day on which it was settled
    reopened_after : begun spans of 24 hours from then to the first reopening; none: never
    """

    SETTLED = "settled_after"
    LATER = ("reopened_after",)

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
        indexes = by_day_and_span("outcome_count")


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
        indexes = by_day_and_span("check_count")


class ScoredCount(DayCount):
    """Checked proposals with a stated probability, by it and by whether the value was right.

    Beside CheckCount, whose rows are few because no probability tells them apart.
    """

    HAS_SPANS = False

    propensity = models.FloatField(help_text="At which it was drawn; a weight is one by it.")
    probability = models.FloatField(help_text="As the model stated it for the proposed value.")
    is_right = models.BooleanField(help_text="The proposed value was.")

    class Meta(DayCount.Meta):
        indexes = [by_day("scored_count")]


class PersonDay(Spanned):
    """That somebody decided something of a group on a day: small groups of people are not shown.

    No count beside it, so that no figure of a person could be read from here.
    """

    ADDED = ()

    choice = models.ForeignKey(Choice, models.CASCADE, null=True, related_name="+", db_index=False)
    version = models.ForeignKey(
        ModelVersion, models.CASCADE, null=True, related_name="+", db_index=False
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False
    )

    class Meta(Spanned.Meta):
        # Nobody looks at it, auditors neither.
        default_permissions = ()
        indexes = by_day_and_span("person_day")

    def __str__(self) -> str:
        return f"somebody of source {self.source_id} on {self.day}"


class DrawnCount(DayCount):
    """Checks that came before a person, by how far they are: review/metrics/truth_cohorts.py."""

    WEEKS = Weeks.NONE

    state = models.CharField(max_length=8)

    class Meta(DayCount.Meta):
        indexes = by_day_and_span("drawn_count")


class AgreementCount(DayCount):
    """Fields that two people answered blind, by what each chose, and what came of it.

    No choice: could not tell.
    """

    WEEKS = Weeks.NONE

    field = models.ForeignKey(Field, models.CASCADE, related_name="+", db_index=False)
    first = models.ForeignKey(Choice, models.CASCADE, null=True, related_name="+", db_index=False)
    second = models.ForeignKey(Choice, models.CASCADE, null=True, related_name="+", db_index=False)
    verdict = models.CharField(max_length=12)

    class Meta(DayCount.Meta):
        indexes = by_day_and_span("agreement_count")
