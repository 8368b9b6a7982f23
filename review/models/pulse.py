"""How people are, asked now and then: what was answered is kept apart from who was asked."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q


class PulseCount(models.Model):
    """How often one answer was given in one round; nothing says by whom, or when in it."""

    begins_on = models.DateField(help_text="Of the round.")
    answer = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    n = models.PositiveIntegerField(default=0)

    class Meta:
        # Shown by the report alone, from enough answers on.
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["begins_on", "answer"], name="pulse_answer_once"),
            models.CheckConstraint(condition=Q(answer__range=(1, 5)), name="pulse_answer_1_to_5"),
        ]

    def __str__(self) -> str:
        return f"{self.n} in the round of {self.begins_on}"


class PulseAsked(models.Model):
    """That somebody need not be asked again before a round; not whether they answered."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+"
    )
    until = models.DateField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"asked until {self.until}"
