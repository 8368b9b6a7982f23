"""What a source was like before automation, what it shall be like after, and counts of both."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from review.models.counts import Spanned, Weeks, by_day, by_span
from triage.models import Source


def _unchanging() -> pgtrigger.Protect:
    return pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


class KpiCount(Spanned):
    """Resolved tickets by the day on which they were opened; written as all counts of days are.

    Each ticket is told up to the end of the outcome window after its first resolution, so that an
    old one has had no more time than a new one.

    resolved_after : days from the day of opening to that of the first resolution
    resolve_bin, rework_bin : bins of the seconds to the first resolution, and of those after it
    open_squares, rework_squares, products : sums of the squares of a ticket's seconds open and of
    rework, and of the one times the other
    """

    ADDED = (
        "n", "reassigned", "returned", "recategorised", "reopened", "seconds", "seconds_open",
        "seconds_rework", "open_squares", "rework_squares", "products",
    )  # fmt: skip
    WEEKS = Weeks.NONE
    SETTLED = "resolved_after"
    DAYS_ALONE = ("rework_bin",)

    resolved_after = models.IntegerField()
    resolve_bin = models.SmallIntegerField()
    rework_bin = models.SmallIntegerField(null=True)
    n = models.PositiveIntegerField()
    reassigned = models.PositiveIntegerField()
    returned = models.PositiveIntegerField()
    recategorised = models.PositiveIntegerField()
    reopened = models.PositiveIntegerField()
    seconds = models.FloatField(help_text="To the first resolution, of all together.")
    seconds_open = models.FloatField()
    seconds_rework = models.FloatField()
    open_squares = models.FloatField()
    rework_squares = models.FloatField()
    products = models.FloatField()

    class Meta(Spanned.Meta):
        indexes = [
            by_day("kpi_count", "source", "day"),
            by_span("kpi_count"),
        ]

    def __str__(self) -> str:
        return f"{self.n} of source {self.source_id} on {self.day}"


class KpiTarget(models.Model):
    """What was agreed for one measure of a source. Never edited: the newest row is in force.

    `value` is a fraction or a number of seconds, as the measure is.
    """

    class Direction(models.TextChoices):
        AT_MOST = "most", _("at most")
        AT_LEAST = "least", _("at least")

    source = models.ForeignKey(Source, models.PROTECT, related_name="+", db_index=False)
    metric = models.SlugField(max_length=60, db_index=False)
    column = models.SlugField(max_length=40, db_index=False)
    direction = models.CharField(max_length=5, choices=Direction)
    value = models.FloatField()
    why = models.CharField(max_length=300)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        # Whoever reads metrics reads these; no page of the owner's desk shows them.
        default_permissions = ()
        permissions = [("set_kpitarget", "Can take baselines and set targets")]
        constraints = [
            models.CheckConstraint(condition=Q(value__gte=0), name="kpi_target_not_negative"),
            models.CheckConstraint(condition=~Q(why=""), name="kpi_target_says_why"),
        ]
        indexes = [models.Index(fields=["source", "metric", "-id"], name="kpi_target_newest")]
        triggers = [_unchanging()]

    def __str__(self) -> str:
        return f"{self.metric} {self.direction} {self.value}"


class Baseline(models.Model):
    """What one measure of a source was before automation. Taken once and never edited.

    No k: the measure is no share of tickets. No interval: the tickets could not carry one.
    """

    source = models.ForeignKey(Source, models.PROTECT, related_name="+", db_index=False)
    metric = models.SlugField(max_length=60, db_index=False)
    first_day = models.DateField()
    last_day = models.DateField()
    resolved_before = models.DateField(help_text="Tickets resolved later were left out.")
    outcome_days = models.PositiveSmallIntegerField()
    k = models.PositiveIntegerField(null=True)
    n = models.PositiveIntegerField()
    value = models.FloatField()
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    definition_version = models.PositiveIntegerField()
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    taken_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["source", "metric"], name="one_baseline_a_measure"),
            models.CheckConstraint(
                condition=Q(first_day__lte=F("last_day")), name="baseline_days_in_order"
            ),
            models.CheckConstraint(
                condition=Q(low=None, high=None) | Q(low__lte=F("value"), high__gte=F("value")),
                name="baseline_lies_in_its_interval",
            ),
        ]
        triggers = [_unchanging()]

    def __str__(self) -> str:
        return f"{self.metric} {self.value} of {self.n}"
