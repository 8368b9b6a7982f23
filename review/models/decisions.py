"""A person's final word on a proposal, value by value, with a coded reason."""

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from triage.models import Choice, Field, Proposal
from triage.models.touching import OF_PROPOSAL, touching


class Reason(models.Model):
    """A coded reason. Owners edit them; retired ones stay for the record."""

    class AppliesTo(models.TextChoices):
        OVERRIDE = "override", _("overriding a value")
        ESCALATE = "escalate", _("escalating")
        SEND_BACK = "send_back", _("sending back")
        SKIP = "skip", _("skipping")

    key = models.SlugField(max_length=40)
    label = models.CharField(max_length=80)
    applies_to = models.CharField(max_length=10, choices=AppliesTo)
    digit = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(9)], help_text="The key that picks it."
    )
    needs_text = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["applies_to", "digit"]
        constraints = [
            models.UniqueConstraint(fields=["key", "applies_to"], name="reason_key_once"),
            models.UniqueConstraint(
                fields=["applies_to", "digit"],
                condition=Q(is_active=True),
                name="reason_digit_once",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def shown(self) -> str:
        """The label in the reader's language, as long as it is one that installations start with.

        Gettext answers an empty text with the catalogue's own header.
        """
        return gettext(self.label) if self.label else ""


class Batch(models.Model):
    """Equal proposals decided in one go; each is still a decision of its own."""

    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"batch {self.pk}"


class Decision(models.Model):
    """A reviewer's final word. `stands_for` is the lock between two reviewers.

    It is empty once the decision was taken back, and then another one may stand for the proposal.
    """

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        OVERRIDDEN = "overridden", _("overridden")
        ESCALATED = "escalated", _("escalated")
        SENT_BACK = "sent_back", _("sent back")

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="decisions")
    stands_for = models.OneToOneField(
        Proposal,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="decision",
        help_text="The proposal; empty once the decision was taken back.",
    )
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = models.ForeignKey(
        Reason, models.PROTECT, null=True, blank=True, help_text="Of escalating or sending back."
    )
    text = models.CharField(max_length=500, blank=True)
    with_playbook = models.BooleanField(default=False)
    decided_at = models.DateTimeField()
    batch = models.ForeignKey(
        Batch, models.PROTECT, null=True, blank=True, related_name="decisions"
    )

    seconds_since_last = models.FloatField(
        null=True,
        blank=True,
        help_text="From this person's review before; empty after a pause, and in a batch.",
    )

    class Meta:
        permissions = [("embed_decision", "Can make links by which somebody decides in a frame")]
        constraints = [
            models.CheckConstraint(
                condition=Q(stands_for__isnull=True) | Q(stands_for=F("proposal")),
                name="decision_stands_for_its_proposal",
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["accepted", "overridden"]) | Q(reason__isnull=False),
                name="escalating_and_sending_back_name_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["-decided_at"], name="decision_recent"),
            models.Index(fields=["reviewer", "-decided_at"], name="decision_by_reviewer"),
        ]
        triggers = touching(OF_PROPOSAL, pgtrigger.Insert, pgtrigger.Update, pgtrigger.Delete)

    def __str__(self) -> str:
        return f"{self.verdict} by {self.reviewer_id}"


class Withdrawal(models.Model):
    """That a decision was taken back: undone, so that the proposal waits again, or reversed by
    another decision, which then stands for the proposal.
    """

    decision = models.OneToOneField(Decision, models.PROTECT, related_name="withdrawal")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reversed_by = models.OneToOneField(
        Decision, models.PROTECT, null=True, blank=True, related_name="reverses"
    )

    class Meta:
        indexes = [models.Index(fields=["-at"], name="withdrawal_recent")]

    def __str__(self) -> str:
        return f"decision {self.decision_id} taken back by {self.by_id}"


class DecidedValue(models.Model):
    """What was proposed for one field and what the reviewer settled on."""

    decision = models.ForeignKey(Decision, models.CASCADE, related_name="values")
    field = models.ForeignKey(Field, models.PROTECT, related_name="+")
    proposed = models.ForeignKey(
        Choice, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    final = models.ForeignKey(Choice, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.ForeignKey(Reason, models.PROTECT, null=True, blank=True)

    class Meta:
        ordering = ["field__position"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "field"], name="one_decided_value"),
            models.CheckConstraint(
                condition=Q(proposed__isnull=True)
                | Q(proposed=F("final"))
                | Q(reason__isnull=False),
                name="override_names_its_reason",
            ),
        ]
        # How a proposed choice last fared is asked for on every ticket page. The order is one that
        # no other index has: by the plain id PostgreSQL walks all decisions backwards, because
        # some of the choice should turn up soon.
        indexes = [models.Index("proposed", F("id") * -1, name="decided_newest_on_choice")]

    def __str__(self) -> str:
        return f"{self.field_id}: {self.proposed_id} -> {self.final_id}"
