"""The append-only, hash-chained record."""

import pgtrigger
from django.db import models

REFUSE_TRUNCATE = "RAISE EXCEPTION 'The ledger is append-only: it cannot be truncated.';"


class LedgerEntry(models.Model):
    """One link of the chain; triggers refuse update, delete and truncate.

    hash = SHA-256 over canonical JSON of (sequence, previous hash, kind, subject, payload,
    actor, time). Pseudonymous ids only, never ticket text.
    """

    class Kind(models.TextChoices):
        PROPOSAL = "proposal", "proposal"
        DECISION = "decision", "decision"
        EFFECT = "effect", "effect"
        POLICY = "policy", "change of policy"
        INTAKE = "intake", "intake anomaly"
        MODEL = "model", "model"
        ERASURE = "erasure", "erasure"
        CONCERN = "concern", "concern"

    sequence = models.BigIntegerField(primary_key=True)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=Kind)
    subject = models.CharField(max_length=80, help_text="What it is about, as type:id.")
    payload = models.JSONField()
    actor = models.CharField(max_length=40, help_text="user:<id>, or the service itself.")
    at = models.DateTimeField()

    class Meta:
        ordering = ["sequence"]
        verbose_name_plural = "ledger entries"
        indexes = [
            models.Index(fields=["subject", "sequence"], name="ledger_subject"),
            # What people are told of, few among the entries about tickets.
            models.Index(
                fields=["-at"], condition=models.Q(kind__in=["policy", "model"]), name="ledger_news"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="no_truncate",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func=REFUSE_TRUNCATE,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.kind} {self.subject}"


class LedgerHead(models.Model):
    """The one row that is locked while the chain grows."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_ledger_head")]

    def __str__(self) -> str:
        return f"{self.sequence}: {self.hash}"
