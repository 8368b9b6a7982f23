"""Drills: past tickets among live work, with advice that is known to be right or wrong."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from triage.models import Choice, ModelVersion, Proposal, Source

# Nobody can set these wider: drills are rare, and both kinds stay unforeseeable.
EVERY = (20, 500)
A_WEEK = (1, 10)
WRONG_PERCENT = (10, 90)


class DrillProgramme(models.Model):
    """Whether there are drills in a source, how often, and what people were told about them.

    What was told counts from `disclosed_at` on: whoever acknowledged it earlier does so anew.
    """

    source = models.OneToOneField(Source, models.CASCADE, related_name="drill_programme")
    is_on = models.BooleanField(_("switched on"), default=False)
    disclosure = models.TextField(
        _("what people are told"),
        max_length=2000,
        help_text=_("Nobody gets a drill before having confirmed that they have read this."),
    )
    every = models.PositiveSmallIntegerField(
        _("decided tickets between two drills, at the least"),
        default=40,
        validators=[MinValueValidator(EVERY[0]), MaxValueValidator(EVERY[1])],
    )
    a_week = models.PositiveSmallIntegerField(
        _("drills of one person in seven days, at the most"),
        default=3,
        validators=[MinValueValidator(A_WEEK[0]), MaxValueValidator(A_WEEK[1])],
    )
    wrong_percent = models.PositiveSmallIntegerField(
        _("of a hundred drills, so many with wrong advice"),
        default=50,
        validators=[MinValueValidator(WRONG_PERCENT[0]), MaxValueValidator(WRONG_PERCENT[1])],
    )
    disclosed_at = models.DateTimeField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["source__name", "pk"]
        permissions = [("run_drillprogramme", "Can switch drills on and off and set how many")]
        constraints = [
            models.CheckConstraint(
                condition=Q(every__range=EVERY, a_week__range=A_WEEK)
                & Q(wrong_percent__range=WRONG_PERCENT),
                name="drills_stay_rare",
            ),
            models.CheckConstraint(condition=~Q(disclosure=""), name="drills_are_disclosed"),
        ]

    def __str__(self) -> str:
        return f"drills in {self.source}"


class DrillAcknowledgement(models.Model):
    """That somebody has read what drills are. `resting_on`: the day on which they want none."""

    programme = models.ForeignKey(
        DrillProgramme, models.CASCADE, related_name="acknowledgements", db_index=False
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    resting_on = models.DateField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["programme", "person"], name="drills_acknowledged_once")
        ]

    def __str__(self) -> str:
        return f"{self.person_id} knows of programme {self.programme_id}"


class Drill(models.Model):
    """A past proposal that one person was shown again, with this advice; never the same twice.

    Never reaches the helpdesk, training, the queue of anybody, or the ticket's own record.
    `version` is the model whose words and figures stand beside the advice.
    """

    class KnownBy(models.TextChoices):
        SINGLE = "single", _("one blind answer")
        AGREED = "agreed", _("two blind answers that agree")
        ADJUDICATED = "adjudicated", _("a third answer between two that differ")
        HISTORY = "history", _("what the helpdesk itself ended with")

    proposal = models.ForeignKey(
        Proposal, models.CASCADE, related_name="drills", help_text="Of the past ticket."
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False
    )
    advice = models.ForeignKey(Choice, models.PROTECT, related_name="+")
    truth = models.ForeignKey(Choice, models.PROTECT, related_name="+")
    known_by = models.CharField(max_length=12, choices=KnownBy)
    is_right = models.BooleanField(help_text="The advice is the truth.")
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="+")
    shown_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["person", "proposal"], name="drilled_once"),
            models.CheckConstraint(
                condition=Q(is_right=True, advice=F("truth"))
                | Q(is_right=False) & ~Q(advice=F("truth")),
                name="drill_is_right_where_advice_is_true",
            ),
        ]
        indexes = [models.Index(fields=["person", "-shown_at"], name="drill_by_person")]

    def __str__(self) -> str:
        return f"drill {self.pk}"


class DrillAnswer(models.Model):
    """What the person made of the advice, once. `final` is the main choice they settled on."""

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        OVERRIDDEN = "overridden", _("overridden")
        PASSED = "passed", _("passed on without a word on the value")

    drill = models.OneToOneField(Drill, models.CASCADE, primary_key=True, related_name="answer")
    verdict = models.CharField(max_length=10, choices=Verdict)
    final = models.ForeignKey(Choice, models.PROTECT, null=True, blank=True, related_name="+")
    seconds = models.FloatField(help_text="From when it was shown to the answer.")
    answered_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict="passed", final__isnull=True)
                | Q(verdict__in=["accepted", "overridden"], final__isnull=False),
                name="a_drill_that_was_answered_has_a_value",
            ),
            models.CheckConstraint(condition=Q(seconds__gte=0), name="drill_seconds"),
        ]
        indexes = [models.Index(fields=["answered_at"], name="drill_answer_by_time")]

    def __str__(self) -> str:
        return f"{self.drill_id} was {self.verdict}"

    @property
    def is_hit(self) -> bool:
        """Wrong advice was overridden, or right advice accepted."""
        wanted = self.Verdict.ACCEPTED if self.drill.is_right else self.Verdict.OVERRIDDEN
        return self.verdict == wanted
