"""How the live tickets of a model version move away from its first, and what that calls for."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from triage.models.catalogue import Field
from triage.models.learning import ModelVersion


class DriftReference(models.Model):
    """A version's own first live predictions as figures: what its later days are compared with.

    Counts and shares alone: words are counted in buckets that many words share.
    """

    model_version = models.OneToOneField(
        ModelVersion, models.PROTECT, related_name="drift_reference"
    )
    predictions = models.PositiveIntegerField()
    until = models.DateTimeField(help_text="The last moment that it speaks of.")
    figures = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.model_version_id} until {self.until:%Y-%m-%d}"


class DriftReport(models.Model):
    """What one day's predictions of a version looked like beside its reference.

    One a version and day; done again, it is replaced. No figures: there was not enough yet.
    """

    model_version = models.ForeignKey(
        ModelVersion, models.PROTECT, related_name="drift_reports", db_index=False
    )
    day = models.DateField()
    predictions = models.PositiveIntegerField(help_text="Looked at: of that day, or up to it.")
    checks = models.PositiveIntegerField(help_text="Blind checks that calibration rests on.")
    figures = models.JSONField(default=dict)
    made_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["model_version", "-day"]
        constraints = [
            models.UniqueConstraint(fields=["model_version", "day"], name="drift_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.model_version_id} on {self.day}"


class DriftFinding(models.Model):
    """Something that drifted, from the first day it was found to the day it was gone."""

    class Kind(models.TextChoices):
        INPUTS = "inputs", "inputs"
        PREDICTIONS = "predictions", "predictions"
        OUT_OF_SCOPE = "out_of_scope", "out of scope"
        CALIBRATION = "calibration", "calibration"

    model_version = models.ForeignKey(
        ModelVersion, models.PROTECT, related_name="drift_findings", db_index=False
    )
    kind = models.CharField(max_length=12, choices=Kind)
    is_grave = models.BooleanField(default=False)
    said = models.CharField(max_length=300, help_text="The figures of the newest day with it.")
    since = models.DateField()
    until = models.DateField(null=True, blank=True, help_text="The first day without it.")
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-since", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "kind"],
                condition=Q(until__isnull=True),
                name="one_open_finding_a_kind",
            ),
            models.UniqueConstraint(
                fields=["model_version", "kind", "since"], name="finding_once_since"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} since {self.since}"


class RetrainingProposal(models.Model):
    """That training the field again would pay, and why. At most one is open per field.

    Closed by a person who does not want it, or by a version that was trained since (nobody named).
    """

    field = models.ForeignKey(Field, models.PROTECT, related_name="retraining", db_index=False)
    model_version = models.ForeignKey(
        ModelVersion, models.PROTECT, related_name="+", help_text="In service at the time."
    )
    new_labels = models.PositiveIntegerField()
    reasons = models.JSONField(default=list, help_text="Sentences of figures.")
    created_at = models.DateTimeField(auto_now_add=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["field"],
                condition=Q(closed_at__isnull=True),
                name="one_open_retraining_per_field",
            )
        ]
        indexes = [models.Index(fields=["field", "-created_at"], name="retraining_of_field")]

    def __str__(self) -> str:
        return f"{self.field}: {self.new_labels} new labels"
