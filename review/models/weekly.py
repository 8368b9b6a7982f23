"""Who wants the weekly report, and which weeks somebody was sent."""

from django.conf import settings
from django.db import models

from triage.models import Source


class WeeklySubscription(models.Model):
    """That somebody asked for the weekly report. No source: of all."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="weekly_subscription",
    )
    source = models.ForeignKey(
        Source, models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    language = models.CharField(max_length=10)
    since = models.DateTimeField()

    class Meta:
        default_permissions = ()
        permissions = [("receive_weeklyreport", "Can be sent the weekly report")]

    def __str__(self) -> str:
        return f"weekly report of {self.person_id}"


class WeeklySent(models.Model):
    """That somebody was sent the report of the week that began on this Monday."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False
    )
    monday = models.DateField()
    sent_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["person", "monday"], name="one_report_a_week")
        ]

    def __str__(self) -> str:
        return f"week of {self.monday} to {self.person_id}"
