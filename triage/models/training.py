"""How model versions come about: asked-for trainings, and the labels they cast doubt on."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from triage.models.catalogue import Choice, Field
from triage.models.learning import Label, ModelVersion


class TrainingRun(models.Model):
    """One training of a field that somebody asked for. What it makes is a candidate, never more.

    Its state is what is there: a version (done), an error (refused), `cancelled_at` (cancelled),
    `started_at` (under way), nothing (waiting). The job tells of failed attempts.
    """

    field = models.ForeignKey(Field, models.PROTECT, related_name="training_runs")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    leave_out_small = models.BooleanField(
        "without small choices",
        default=False,
        help_text="Train without choices that have too few labels, instead of refusing.",
    )
    seed = models.PositiveIntegerField(
        default=0, help_text="The same seed and the same labels make the same model."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(
        null=True, blank=True, help_text="Of the latest attempt: one that broke off starts over."
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    progress = models.FloatField(default=0.0, help_text="Share done, 0 to 1.")
    step = models.CharField(max_length=200, blank=True, help_text="What it does now.")
    error = models.CharField(max_length=1000, blank=True, help_text="Why there is no version.")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    model_version = models.OneToOneField(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="training_run"
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["field"],
                condition=Q(finished_at__isnull=True),
                name="one_unfinished_run_per_field",
            ),
            models.CheckConstraint(
                condition=Q(progress__gte=0, progress__lte=1), name="progress_in_0_1"
            ),
            models.CheckConstraint(
                condition=Q(model_version__isnull=True) | Q(finished_at__isnull=False, error=""),
                name="run_with_a_version_is_done",
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True, cancelled_by__isnull=True)
                | Q(cancelled_at__isnull=False, cancelled_by__isnull=False),
                name="cancelled_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"training {self.pk}"


class LabelDoubt(models.Model):
    """A label that models which had not seen its ticket take for wrong, and what the owner says.

    About the label as it was: one that has got another choice since is not meant any more.
    """

    class Verdict(models.TextChoices):
        OPEN = "", "open"
        RIGHT = "right", "the label is right"
        WRONG = "wrong", "the label is wrong"

    model_version = models.ForeignKey(
        ModelVersion, models.CASCADE, related_name="doubts", db_index=False
    )
    label = models.ForeignKey(Label, models.CASCADE, related_name="doubts")
    given = models.ForeignKey(Choice, models.PROTECT, related_name="+", db_index=False)
    suggested = models.ForeignKey(Choice, models.PROTECT, related_name="+", db_index=False)
    given_probability = models.FloatField(help_text="Of the choice that the label gives.")
    confidence = models.FloatField(help_text="Probability of the choice suggested instead.")
    verdict = models.CharField(max_length=5, choices=Verdict, blank=True, default=Verdict.OPEN)
    said_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    said_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["given_probability", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "label"], name="doubted_once_per_version"
            ),
            models.CheckConstraint(
                condition=Q(verdict="", said_by__isnull=True, said_at__isnull=True)
                | Q(verdict__in=["right", "wrong"], said_by__isnull=False, said_at__isnull=False),
                name="verdict_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["verdict", "given_probability"], name="doubt_by_verdict"),
            models.Index(fields=["model_version", "given_probability"], name="doubt_of_version"),
        ]

    def __str__(self) -> str:
        return f"doubt about label {self.label_id}"
