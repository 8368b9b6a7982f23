"""What became of each ticket, and the counts of it by the day on which tickets were opened.

Written by review/metrics/rollups.py alone, from what is on record, and made anew whenever that
changes. No words are in it: an erased ticket keeps its story.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from review.models.counts import DayCount, by_day_and_span
from triage.models import Choice, ModelVersion, Source, Ticket


class StoryPath(models.TextChoices):
    """By whose word the last proposal for a ticket was settled; each ticket has exactly one."""

    AUTO = "auto", _("applied without a person")
    ACCEPTED = "accepted", _("accepted by a person")
    OVERRIDDEN = "overridden", _("overridden by a person")
    UNSETTLED = "unsettled", _("proposed, not settled")
    BEFORE = "before", _("before the service")


class TicketStory(models.Model):
    """One row a ticket, as review/metrics/stories.py tells it; see there for what times mean.

    choice : the main value that it was filed under at last, else the proposed one, if any
    version : the model version behind the proposal that `path` speaks of
    is_self_closed : a playbook resolved it without a person
    reopened_after, contacted_after : begun spans of 24 hours from the first resolution
    """

    ticket = models.OneToOneField(
        Ticket, models.CASCADE, primary_key=True, related_name="told_story"
    )
    day = models.DateField(help_text="On which it was opened, in the service's time zone.")
    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    choice = models.ForeignKey(Choice, models.CASCADE, null=True, related_name="+", db_index=False)
    version = models.ForeignKey(
        ModelVersion, models.CASCADE, null=True, related_name="+", db_index=False
    )
    path = models.CharField(max_length=10, choices=StoryPath)
    is_self_closed = models.BooleanField()
    reassigned = models.PositiveIntegerField()
    recategorised = models.PositiveIntegerField()
    returned = models.BooleanField()
    resolved_at = models.DateTimeField(null=True)
    reopened_after = models.PositiveIntegerField(null=True)
    contacted_after = models.PositiveIntegerField(null=True)
    rating = models.PositiveSmallIntegerField(null=True)
    has_states = models.BooleanField()
    to_resolve = models.FloatField(null=True, help_text="Seconds to the first resolution.")
    queued = models.FloatField()
    worked = models.FloatField()
    paused = models.FloatField()
    awaiting = models.FloatField()
    rework = models.FloatField(help_text="Seconds after the first resolution.")

    class Meta:
        verbose_name_plural = "ticket stories"
        constraints = [
            models.CheckConstraint(
                condition=Q(reopened_after__isnull=True) | Q(resolved_at__isnull=False),
                name="story_reopened_after_resolution",
            )
        ]
        indexes = [models.Index(fields=["day", "source"], name="ticket_story_day")]

    def __str__(self) -> str:
        return f"story of ticket {self.ticket_id}"


class StoryCount(DayCount):
    """Tickets by what happened to them on the way, with sums of seconds.

    `rework` and `whole` are sums over the `resolved` tickets, `worked` and `handled` over the
    `watched` ones, those of them whose work was told. With the sums of squares and products an
    interval of their ratio needs no ticket.
    """

    ADDED = (
        "n", "reassigned", "recategorised", "returned", "resolved", "rework", "whole",
        "rework_squares", "whole_squares", "rework_products", "watched", "worked", "handled",
        "worked_squares", "handled_squares", "worked_products",
    )  # fmt: skip

    path = models.CharField(max_length=10, choices=StoryPath)
    reassigned = models.PositiveIntegerField()
    recategorised = models.PositiveIntegerField()
    returned = models.PositiveIntegerField()
    resolved = models.PositiveIntegerField()
    rework = models.FloatField()
    whole = models.FloatField()
    rework_squares = models.FloatField()
    whole_squares = models.FloatField()
    rework_products = models.FloatField()
    watched = models.PositiveIntegerField()
    worked = models.FloatField()
    handled = models.FloatField()
    worked_squares = models.FloatField()
    handled_squares = models.FloatField()
    worked_products = models.FloatField()

    class Meta(DayCount.Meta):
        indexes = by_day_and_span("story_count")


class ReturnCount(DayCount):
    """Resolved tickets by when they were resolved, when they came back, and how they were rated.

    resolved_after : days from the opening to the day of the first resolution
    reopened_after, contacted_after : begun spans of 24 hours from then; none: never
    rated : how the last rating was, if there is one
    """

    SETTLED = "resolved_after"
    LATER = ("reopened_after", "contacted_after")

    class Rated(models.TextChoices):
        NEVER = "", _("not rated")
        WELL = "well", _("not rated bad")
        BAD = "bad", _("rated bad")

    path = models.CharField(max_length=10, choices=StoryPath)
    is_self_closed = models.BooleanField()
    resolved_after = models.IntegerField()
    reopened_after = models.PositiveIntegerField(null=True)
    contacted_after = models.PositiveIntegerField(null=True)
    rated = models.CharField(max_length=4, choices=Rated, blank=True)

    class Meta(DayCount.Meta):
        indexes = by_day_and_span("return_count")


class ResolveCount(DayCount):
    """Resolved tickets by how long that took: one row for each bin of review/metrics/bins.py."""

    ADDED = ("n", "seconds")

    path = models.CharField(max_length=10, choices=StoryPath)
    bin = models.SmallIntegerField()
    seconds = models.FloatField(help_text="Of all together, for the mean of the bin.")

    class Meta(DayCount.Meta):
        indexes = by_day_and_span("resolve_count")


class NoveltyCount(DayCount):
    """Standing proposals that a model had an opinion on, by how usual it found the ticket.

    scope_percent : whole percent of the in-scope score; all above the last of interest are one
    """

    scope_percent = models.SmallIntegerField()

    class Meta(DayCount.Meta):
        indexes = by_day_and_span("novelty_count")
