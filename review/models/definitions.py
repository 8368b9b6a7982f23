"""What a metric means as a team agreed on it: proposed, discussed, voted on, in force, retired."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

# Nobody can vote these down: a group has so many people, a person's own figure so many cases.
LEAST_PEOPLE = 5
LEAST_OWN_N = 100
# Fewer votes than that are neither counted in public nor enough.
LEAST_VOTES = 5

ACTIVE = Q(activated_at__isnull=False, retired_at__isnull=True)
VOTE_OPEN = Q(opened_at__isnull=False, closed_at__isnull=True, retired_at__isnull=True)


class MetricDefinition(models.Model):
    """One version of a metric's meaning, from 2 on: the first comes with the service.

    Its words and limits are never edited. `formula`, `purpose` and `caveat` are kept in English
    where they are the service's own. `parameters` holds the chosen values by name.
    """

    class Audience(models.TextChoices):
        TEAM = "team", _("the team together")
        OWN = "own", _("each person, their own figure")
        OWNER = "owner", _("AI owners and team leads")

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        DISCUSSED = "discussed", _("discussed")
        VOTED = "voted", _("voted")
        ACTIVE = "active", _("active")
        RETIRED = "retired", _("retired")

    key = models.SlugField(max_length=60, db_index=False)
    version = models.PositiveIntegerField()
    formula = models.TextField()
    purpose = models.CharField(max_length=500)
    caveat = models.CharField(max_length=1000)
    audience = models.CharField(max_length=5, choices=Audience)
    min_n = models.PositiveIntegerField()
    min_people = models.PositiveSmallIntegerField(default=LEAST_PEOPLE)
    parameters = models.JSONField(default=dict, blank=True)
    proposer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    votes_yes = models.PositiveIntegerField(null=True, blank=True)
    votes_no = models.PositiveIntegerField(null=True, blank=True)
    votes_needed = models.PositiveIntegerField(null=True, blank=True)
    reasons_counted = models.JSONField(default=dict, blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    unratified_because = models.CharField(max_length=300, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        # Whoever reads metrics reads what they mean; no page of the owner's desk shows this.
        default_permissions = ()
        permissions = [
            ("shape_metricdefinition", "Can propose, discuss and vote on what metrics mean"),
            ("activate_metricdefinition", "Can put a metric's definition in force or retire it"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["key", "version"], name="definition_version_once"),
            models.UniqueConstraint(
                fields=["key"], condition=ACTIVE, name="one_active_definition_per_key"
            ),
            models.UniqueConstraint(
                fields=["key"], condition=VOTE_OPEN, name="one_open_vote_per_key"
            ),
            models.CheckConstraint(
                condition=Q(version__gte=2), name="definition_follows_the_services_own"
            ),
            models.CheckConstraint(condition=Q(min_n__gte=1), name="definition_least_n"),
            models.CheckConstraint(
                condition=Q(min_people__gte=LEAST_PEOPLE), name="definition_least_people"
            ),
            models.CheckConstraint(
                condition=~Q(audience="own") | Q(min_n__gte=LEAST_OWN_N),
                name="own_figure_needs_enough_cases",
            ),
            models.CheckConstraint(
                condition=(Q(closed_at__isnull=True) | Q(opened_at__lte=F("closed_at")))
                & (Q(activated_at__isnull=True) | Q(closed_at__lte=F("activated_at")))
                & (Q(retired_at__isnull=True) | Q(proposed_at__lte=F("retired_at"))),
                name="definition_moments_in_order",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, votes_yes=None, votes_no=None)
                & Q(votes_needed=None)
                | Q(closed_at__isnull=False, votes_yes__isnull=False, votes_no__isnull=False)
                & Q(votes_needed__gte=LEAST_VOTES),
                name="a_closed_vote_is_counted",
            ),
            models.CheckConstraint(
                condition=Q(activated_at__isnull=True, activated_by=None, unratified_because="")
                | Q(activated_at__isnull=False, activated_by__isnull=False)
                & (
                    ~Q(unratified_because="")
                    | Q(votes_yes__gt=F("votes_no"))
                    & Q(votes_needed__lte=F("votes_yes") + F("votes_no"))
                ),
                name="active_by_vote_or_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.version}"

    @property
    def status(self) -> Status:
        """`discussed` while its vote is open, `voted` once that is closed."""
        if self.retired_at is not None:
            return self.Status.RETIRED
        if self.activated_at is not None:
            return self.Status.ACTIVE
        if self.closed_at is not None:
            return self.Status.VOTED
        return self.Status.DISCUSSED if self.opened_at is not None else self.Status.PROPOSED

    @property
    def votes_cast(self) -> int:
        """Of a closed vote; 0 before."""
        return (self.votes_yes or 0) + (self.votes_no or 0)

    @property
    def is_ratified(self) -> bool:
        """Enough took part, and more said yes than no."""
        if self.votes_yes is None or self.votes_no is None or self.votes_needed is None:
            return False
        return self.votes_cast >= self.votes_needed and self.votes_yes > self.votes_no

    @property
    def shows_counts(self) -> bool:
        """Of a few votes the counts would tell who voted how."""
        return self.closed_at is not None and self.votes_cast >= LEAST_VOTES


class DefinitionComment(models.Model):
    """What somebody says, under their name, on a definition that is proposed."""

    definition = models.ForeignKey(MetricDefinition, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField(max_length=2000)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"comment {self.pk} on {self.definition_id}"


class Ballot(models.Model):
    """How somebody votes while the vote is open. Counted and deleted when it closes.

    It bears no moment, and no page, export or entry of the ledger shows one.
    """

    class Reason(models.TextChoices):
        UNCLEAR = "unclear", _("It is not clear what is measured")
        BESIDE_THE_WORK = "beside", _("It says little about the work")
        AGAINST_PEOPLE = "against", _("It could be used against people")
        TOO_FEW = "too-few", _("It says too much from too few cases or people")
        EASILY_BENT = "bent", _("It is easy to look good by it without being good")
        OTHER = "other", _("Something else")

    definition = models.ForeignKey(
        MetricDefinition, models.CASCADE, related_name="ballots", db_index=False
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    says_yes = models.BooleanField()
    reason = models.CharField(max_length=10, choices=Reason, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["definition", "person"], name="one_ballot_a_person")
        ]

    def __str__(self) -> str:
        return f"a ballot on {self.definition_id}"
