"""What came in: deliveries as raw bytes, tickets at their versions, and later events."""

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Left
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from triage.models.catalogue import Choice, Source
from triage.models.fields import WebAddressField
from triage.models.touching import OF_EVENT, OF_OPENING, touching

SEARCHED_CHARACTERS = 20_000


class Delivery(models.Model):
    """One inbound webhook, kept byte for byte; unique by (source, webhook id).

    After an erasure the body is empty; its digest stays, so that a repetition is still known.
    """

    class Outcome(models.TextChoices):
        APPLIED = "applied", "changed a ticket"
        STALE = "stale", "older than what we have"
        REPEATED = "repeated", "said nothing new"
        ECHO = "echo", "caused by our own write"
        REFUSED = "refused", "could not be read"

    # The constraint and the index below begin with it.
    source = models.ForeignKey(Source, models.PROTECT, related_name="deliveries", db_index=False)
    webhook_id = models.CharField(max_length=64)
    body = models.BinaryField()
    body_sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(
        max_length=10, choices=Outcome, blank=True, help_text="Empty until a worker has read it."
    )
    explanation = models.CharField(max_length=300, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "webhook_id"], name="webhook_id_once_per_source"
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(body=b""), name="erased_delivery_is_empty"
            ),
        ]
        indexes = [
            models.Index(fields=["-received_at"], name="delivery_recent"),
            models.Index(fields=["source", "-received_at"], name="delivery_of_source"),
            # Those that nobody looks for singly are left out: most rows, and all while they wait.
            models.Index(
                fields=["outcome", "-received_at"],
                condition=~Q(outcome__in=["", "applied"]),
                name="delivery_notable",
            ),
        ]

    def __str__(self) -> str:
        return self.webhook_id


class Ticket(models.Model):
    """What the requester wrote, as of the newest version; older ones are in TicketVersion.

    After an erasure the row stays without its words, and takes no new ones.
    """

    source = models.ForeignKey(Source, models.PROTECT, related_name="tickets", db_index=False)
    external_id = models.CharField(max_length=64)
    version = models.BigIntegerField(help_text="The helpdesk's own counter; higher is newer.")
    subject = models.CharField(max_length=300)
    body = models.TextField(blank=True)
    requester = models.CharField(max_length=254, blank=True, help_text="Mail address or login.")
    requester_name = models.CharField(max_length=160, blank=True)
    url = WebAddressField(max_length=500, blank=True)
    values = models.JSONField(
        default=dict, help_text="Field key to choice key in the helpdesk now."
    )
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    reopened_count = models.PositiveIntegerField(default=0)
    resolution = models.TextField(blank=True, help_text="What a technician noted when solving it.")
    received_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    search = models.GeneratedField(
        expression=SearchVector(
            F("subject"), Left(F("body"), SEARCHED_CHARACTERS), config="simple"
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], name="ticket_once_per_source"
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(subject="", body="", requester="", requester_name="", url="", resolution=""),
                name="erased_ticket_has_no_words",
            ),
        ]
        permissions = [("erase_ticket", "Can erase what a requester wrote")]
        indexes = [
            GinIndex(fields=["search"], name="ticket_search"),
            models.Index(fields=["source", "-opened_at"], name="ticket_recent"),
            models.Index(fields=["-opened_at", "-id"], name="ticket_newest"),
            models.Index(fields=["source", "requester", "-opened_at"], name="ticket_by_requester"),
            models.Index(
                fields=["source", "-closed_at"],
                condition=Q(closed_at__isnull=False),
                name="ticket_solved",
            ),
        ]
        triggers = touching(OF_OPENING, pgtrigger.Insert, pgtrigger.Delete)

    def __str__(self) -> str:
        return f"#{self.external_id} {self.title}"

    @property
    def title(self) -> str:
        """The subject, or that it was erased."""
        return self.subject if self.erased_at is None else gettext("(erased)")


class TicketVersion(models.Model):
    """The ticket as one delivery described it. Never edited."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="versions", db_index=False)
    version = models.BigIntegerField()
    subject = models.CharField(max_length=300)
    body = models.TextField(blank=True)
    values = models.JSONField(default=dict)
    delivery = models.ForeignKey(
        Delivery, models.PROTECT, null=True, blank=True, related_name="versions"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "version"], name="version_once_per_ticket")
        ]

    def __str__(self) -> str:
        return f"version {self.version}"


class TicketEvent(models.Model):
    """What happened to a ticket later. Repeated deliveries of one event leave one row."""

    class Kind(models.TextChoices):
        REASSIGNED = "reassigned", _("reassigned")
        RECATEGORISED = "recategorised", _("recategorised")
        ESCALATED = "escalated", _("escalated")
        # Who or what a ticket waits for from then on; none of them closes it or opens it again.
        STARTED = "started", _("work started")
        PAUSED = "paused", _("waiting within the helpdesk")
        AWAITING = "awaiting", _("waiting for the requester")
        RESOLVED = "resolved", _("resolved")
        REOPENED = "reopened", _("reopened")
        CLOSED = "closed", _("closed")
        RATED = "rated", _("rated")
        COMMENTED = "commented", _("commented")

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="events", db_index=False)
    key = models.CharField(max_length=64, help_text="The helpdesk's id of the event.")
    kind = models.CharField(max_length=14, choices=Kind)
    happened_at = models.DateTimeField()
    choice = models.ForeignKey(
        Choice, models.PROTECT, null=True, blank=True, help_text="The new team or category."
    )
    score = models.SmallIntegerField(null=True, blank=True, help_text="1 (bad) to 5 (good).")
    delivery = models.ForeignKey(
        Delivery, models.PROTECT, null=True, blank=True, related_name="events"
    )

    class Meta:
        ordering = ["happened_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "key"], name="event_once_per_ticket"),
            models.CheckConstraint(
                condition=Q(score__isnull=True) | Q(score__range=(1, 5)), name="score_1_to_5"
            ),
        ]
        indexes = [models.Index(fields=["ticket", "happened_at"], name="event_order")]
        triggers = touching(OF_EVENT, pgtrigger.Insert, pgtrigger.Update, pgtrigger.Delete)

    def __str__(self) -> str:
        return f"{self.kind} {self.happened_at:%Y-%m-%d %H:%M}"
