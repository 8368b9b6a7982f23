"""How the work is shared out: who looks at what, what was skipped, and what the team agreed on."""

import pgtrigger
from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from review.models.decisions import Reason
from triage.models import Proposal, Ticket
from triage.models.touching import OF_PROPOSAL, touching


class Lease(models.Model):
    """That somebody looks at a ticket, in one window of theirs, until a moment that moves on.

    One whose moment has passed is free for anybody and may be written over.
    """

    ticket = models.OneToOneField(Ticket, models.CASCADE, primary_key=True, related_name="lease")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    window = models.UUIDField(help_text="Of the browser window, made anew with each whole page.")
    taken_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["window"], name="lease_of_window"),
            models.Index(fields=["until"], name="lease_until"),
        ]

    def __str__(self) -> str:
        return f"ticket {self.ticket_id} with {self.holder_id}"


class Skip(models.Model):
    """That somebody left a proposal to others, and why; it waits on for everybody else."""

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="skips", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.ForeignKey(Reason, models.PROTECT, related_name="+")
    text = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["proposal", "person"], name="skipped_once_by_each")
        ]
        indexes = [models.Index(fields=["person", "-at"], name="skip_by_person")]
        triggers = touching(OF_PROPOSAL, pgtrigger.Insert, pgtrigger.Delete)

    def __str__(self) -> str:
        return f"proposal {self.proposal_id} left by {self.person_id}"


class SavedView(models.Model):
    """A filter of the queue under a name; a shared one is there for everybody."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1500, help_text="As it stands in the URL, without the ?.")
    is_shared = models.BooleanField(default=False)
    is_default = models.BooleanField(default=False, help_text="The owner's queue begins with it.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]
        permissions = [("unshare_savedview", "Can take a shared view from everybody but its owner")]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="view_name_once"),
            models.UniqueConstraint(
                fields=["owner"], condition=Q(is_default=True), name="one_default_view"
            ),
        ]
        indexes = [models.Index(fields=["name"], condition=Q(is_shared=True), name="view_shared")]

    def __str__(self) -> str:
        return self.name


class TeamAgreement(models.Model):
    """What the team agreed on for its own load; the newest row is in force."""

    reviews_per_hour = models.PositiveSmallIntegerField(
        default=60,
        validators=[MinValueValidator(1)],
        help_text="Reviews of one person in an hour; after them no next ticket opens by itself.",
    )
    break_after_minutes = models.PositiveSmallIntegerField(
        default=50,
        validators=[MinValueValidator(10)],
        help_text="Reviewing without a pause for this long brings a hint to take one.",
    )
    agreed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    agreed_at = models.DateTimeField(auto_now_add=True)
    note = models.CharField(max_length=300, blank=True, help_text="Where it was agreed, and why.")

    class Meta:
        ordering = ["-agreed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.reviews_per_hour} reviews an hour"
