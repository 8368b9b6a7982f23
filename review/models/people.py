"""What people are told and what they tell: news already seen, concerns reported."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from triage.models import Ticket


class Seen(models.Model):
    """Up to when somebody has read what changed."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="seen"
    )
    upto = models.DateTimeField()

    class Meta:
        verbose_name_plural = "seen"

    def __str__(self) -> str:
        return f"{self.person_id} up to {self.upto}"


class Concern(models.Model):
    """A worry about what the service does or is used for; it goes to auditors, past the line.

    No reporter: reported anonymously.
    """

    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="concerns"
    )
    ticket = models.ForeignKey(
        Ticket, models.SET_NULL, null=True, blank=True, related_name="concerns"
    )
    text = models.TextField(max_length=2000)
    reported_at = models.DateTimeField()
    answer = models.TextField(max_length=2000, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-reported_at", "-pk"]
        permissions = [
            ("report_concern", "Can report a concern"),
            ("answer_concern", "Can answer a concern"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True, answered_by__isnull=True)
                | ~Q(answer="") & Q(answered_at__isnull=False, answered_by__isnull=False),
                name="an_answer_says_whose_and_when",
            )
        ]
        indexes = [models.Index(fields=["-reported_at"], name="concern_recent")]

    def __str__(self) -> str:
        return f"concern {self.pk}"
