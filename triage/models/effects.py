"""Changes made in the helpdesk, each under a stable key so that it happens once."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from triage.models.intake import Ticket
from triage.models.proposals import Proposal


class Effect(models.Model):
    """One change in the helpdesk. `sending` is committed before any byte leaves."""

    class Kind(models.TextChoices):
        VALUES = "values", _("set fields")
        NOTE = "note", _("add an internal note")
        REPLY = "reply", _("reply to the requester")
        STATUS = "status", _("change the status")
        CALL = "call", _("call the automation")

    class State(models.TextChoices):
        PENDING = "pending", _("waiting to be sent")
        SENDING = "sending", _("being sent")
        APPLIED = "applied", _("done")
        CONFLICT = "conflict", _("not done: changed meanwhile in the helpdesk")
        REFUSED = "refused", _("not done: the helpdesk refused it")
        SKIPPED = "skipped", _("not done: the source has no address to write to")
        DROPPED = "dropped", _("not done: taken back before it was sent")

    key = models.CharField(max_length=64, unique=True)
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="effects", db_index=False)
    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="effects")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=8, choices=Kind)
    payload = models.JSONField()
    seen_version = models.BigIntegerField(help_text="The ticket version the change was based on.")
    based_on_version = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="The helpdesk's version that our own write followed; on record before it leaves.",
    )
    applied_version = models.BigIntegerField(
        null=True, blank=True, help_text="The version our own write led to."
    )
    undoes = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="undone_by",
        help_text="The earlier change that this one makes good.",
    )
    before = models.JSONField(
        null=True,
        blank=True,
        help_text="What stood there before our write, on record before it leaves: "
        '{"values": ...} or {"status": ...}.',
    )
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    detail = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["proposal", "position"]
        indexes = [
            models.Index(fields=["ticket", "position"], name="effect_of_ticket"),
            models.Index(fields=["state", "-created_at"], name="effect_by_state"),
            models.Index(
                fields=["finished_at"],
                condition=models.Q(finished_at__isnull=False),
                name="effect_finished",
            ),
        ]

    def __str__(self) -> str:
        return self.key
