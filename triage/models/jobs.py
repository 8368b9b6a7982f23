"""Leased rows of work. PostgreSQL leads; the broker only says that there is something."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Job(models.Model):
    """Work to do for one row. It exists until it is done; done work leaves no row.

    A worker holds it until lease_until. Five failed attempts make it a dead letter, which
    stays, visible and redeliverable.
    """

    class Kind(models.TextChoices):
        RECEIVE = "receive", "read a delivery"
        PROPOSE = "propose", "triage a ticket"
        EFFECT = "effect", "change the helpdesk"
        NOTICE = "notice", "mail a notice"
        EVIDENCE = "evidence", "work out why"
        SHADOW = "shadow", "ask the models in shadow"
        TRAIN = "train", "train a model"

    kind = models.CharField(max_length=8, choices=Kind)
    subject = models.BigIntegerField(
        help_text="Primary key of the delivery, ticket version, proposal, ..."
    )
    created_at = models.DateTimeField(default=timezone.now)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    token = models.UUIDField(null=True, blank=True, help_text="Of the claim that holds it.")
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    dead_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="job_once_per_subject")
        ]
        indexes = [
            models.Index(
                fields=["kind", "next_attempt_at"],
                condition=Q(dead_at__isnull=True),
                name="job_due",
            ),
            models.Index(
                fields=["created_at"], condition=Q(dead_at__isnull=True), name="job_oldest"
            ),
            models.Index(
                fields=["kind", "subject"], condition=Q(dead_at__isnull=False), name="job_dead"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
