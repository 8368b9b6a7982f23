"""Model versions, what they predicted, and the truths they learn from."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from triage.models.catalogue import Choice, Field
from triage.models.intake import Ticket, TicketVersion


class ModelVersion(models.Model):
    """One trained classifier for one field: artefact, evidence, owner, state."""

    class State(models.TextChoices):
        CANDIDATE = "candidate", "candidate"
        SHADOW = "shadow", "shadow"
        CHAMPION = "champion", "champion"
        RETIRED = "retired", "retired"

    field = models.ForeignKey(Field, models.PROTECT, related_name="model_versions")
    number = models.PositiveIntegerField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.CANDIDATE)
    artefact = models.CharField(max_length=200, help_text="File name in the model directory.")
    sha256 = models.CharField(max_length=64)
    evidence = models.JSONField(default=dict, help_text="Held-out figures, by name.")
    choices = models.JSONField(default=list, help_text="Choice keys it can answer.")
    label_count = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    promoted_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["field", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["field", "number"], name="number_once_per_field"),
            models.UniqueConstraint(
                fields=["field"], condition=Q(state="champion"), name="one_champion_per_field"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field.key} v{self.number}"


class TextVector(models.Model):
    """A sentence vector that was worked out for training, kept so that the next one need not.

    Found by the text's digest, from which no text can be read, and useless to another encoder.
    """

    text_sha256 = models.BinaryField(max_length=32)
    encoder = models.CharField(max_length=64, help_text="SHA-256 of the model file.")
    vector = models.BinaryField(help_text="Half-precision numbers, little-endian.")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["text_sha256", "encoder"], name="vector_once_per_text")
        ]

    def __str__(self) -> str:
        return bytes(self.text_sha256).hex()[:12]


class Prediction(models.Model):
    """A model version's calibrated probabilities for one ticket version, with evidence."""

    ticket_version = models.ForeignKey(
        TicketVersion, models.CASCADE, related_name="predictions", db_index=False
    )
    model_version = models.ForeignKey(
        ModelVersion, models.PROTECT, related_name="predictions", db_index=False
    )
    probabilities = models.JSONField(help_text="Choice key to probability, the ten highest.")
    in_scope = models.FloatField(help_text="0 (unlike anything learnt) to 1 (typical).")
    tier = models.PositiveSmallIntegerField(
        default=1, help_text="1: the fast linear model alone; 2: with sentence vectors beside it."
    )
    words_for = models.JSONField(default=list)
    words_against = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket_version", "model_version"], name="predicted_once_per_version"
            )
        ]
        # In place of the foreign key's own, so that a prediction costs no index more.
        indexes = [models.Index(fields=["model_version", "created_at"], name="prediction_by_time")]

    def __str__(self) -> str:
        return f"{self.model_version_id} on {self.ticket_version_id}"


class Label(models.Model):
    """A truth for (ticket, field), with where it came from and how likely it was drawn."""

    class Origin(models.TextChoices):
        HISTORY = "history", "imported history"
        DECISION = "decision", "a person's decision"
        SPOT_CHECK = "spot_check", "blind spot check"
        OUTCOME = "outcome", "what happened later"

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="labels", db_index=False)
    field = models.ForeignKey(Field, models.PROTECT, related_name="labels", db_index=False)
    choice = models.ForeignKey(Choice, models.PROTECT, related_name="labels")
    origin = models.CharField(max_length=10, choices=Origin)
    propensity = models.FloatField(
        null=True, blank=True, help_text="Probability at which the check was drawn; checks only."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "field", "origin"], name="label_once_per_origin"
            ),
            models.CheckConstraint(
                condition=Q(propensity__isnull=True) | Q(propensity__gt=0, propensity__lte=1),
                name="propensity_in_0_1",
            ),
        ]
        indexes = [
            models.Index(fields=["field", "choice"], name="label_by_choice"),
            models.Index(fields=["field", "created_at"], name="label_by_time"),
            # One in twenty labels or fewer; figures of the last weeks ask for these alone.
            models.Index(
                fields=["field", "-created_at"],
                condition=Q(origin="spot_check"),
                name="label_of_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.choice_id} by {self.origin}"
