"""What the service suggests, and the list of proposals that wait for a person."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from triage.models.catalogue import Choice, Field, Source
from triage.models.intake import Ticket, TicketVersion
from triage.models.learning import Prediction
from triage.models.policy import Level, Playbook, RuleVersion
from triage.models.touching import OF_ITSELF, touching


class Proposal(models.Model):
    """What the service suggests for one ticket version, and why. Never edited."""

    class Route(models.TextChoices):
        REVIEW = "review", "a person decides"
        HOLD = "hold", "held for a person by a rule"
        AUTO = "auto", "applied without a person"
        SHADOW = "shadow", "shown to nobody"

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="proposals", db_index=False)
    ticket_version = models.OneToOneField(TicketVersion, models.CASCADE, related_name="proposal")
    route = models.CharField(max_length=8, choices=Route)
    playbook = models.ForeignKey(
        Playbook, models.PROTECT, null=True, blank=True, related_name="proposals"
    )
    reply = models.TextField(blank=True, help_text="The playbook's reply, filled in.")
    similar = models.JSONField(
        default=list, help_text="[{ticket: id, similarity: 0 to 1}], most alike first."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["ticket", "-created_at"], name="proposal_of_ticket"),
            models.Index(fields=["-created_at"], name="proposal_recent"),
        ]
        triggers = touching(OF_ITSELF, pgtrigger.Insert, pgtrigger.Update, pgtrigger.Delete)

    def __str__(self) -> str:
        return f"proposal {self.pk} for ticket {self.ticket_id}"


class ProposedValue(models.Model):
    """The value of one field in a proposal, and what it rests on.

    No choice means: left open for a person. Where a model had an opinion, `doubt` says which of
    its figures was too low, and `asked` what was asked of it.
    """

    class Basis(models.TextChoices):
        MODEL = "model", "the model"
        PARENT = "parent", "the parent of what the model is torn between"
        RULE = "rule", "a rule"
        FOLLOWS = "follows", "follows from another value"
        HELPDESK = "helpdesk", "already set in the helpdesk"
        NONE = "none", "nothing yet"

    class Doubt(models.TextChoices):
        UNSURE = "unsure", "not sure enough"
        UNLIKE = "unlike", "unlike what was taught"

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="values", db_index=False)
    field = models.ForeignKey(Field, models.PROTECT, related_name="+")
    choice = models.ForeignKey(
        Choice, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    basis = models.CharField(max_length=8, choices=Basis)
    level = models.CharField(max_length=8, choices=Level, default=Level.SUGGEST)
    probability = models.FloatField(null=True, blank=True)
    prediction = models.ForeignKey(
        Prediction, models.PROTECT, null=True, blank=True, related_name="values"
    )
    rule_version = models.ForeignKey(
        RuleVersion, models.PROTECT, null=True, blank=True, related_name="+"
    )
    doubt = models.CharField(max_length=8, choices=Doubt, blank=True)
    asked = models.FloatField(
        null=True,
        blank=True,
        help_text="Lowest probability, or in-scope score, that was asked for.",
    )

    class Meta:
        ordering = ["field__position", "field__key"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "field"], name="one_value_per_field"),
            models.CheckConstraint(
                condition=~Q(basis="rule") | Q(rule_version__isnull=False),
                name="rule_value_names_its_rule",
            ),
            models.CheckConstraint(
                condition=Q(doubt="", asked__isnull=True)
                | Q(choice__isnull=True, asked__isnull=False) & ~Q(doubt=""),
                name="doubt_leaves_open_and_says_what_was_asked",
            ),
        ]
        indexes = [models.Index(fields=["choice", "proposal"], name="value_by_choice")]

    def __str__(self) -> str:
        return f"{self.field_id}={self.choice_id}"


class RuleHit(models.Model):
    """That a rule matched a ticket when its proposal was made."""

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="hits", db_index=False)
    rule_version = models.ForeignKey(RuleVersion, models.PROTECT, related_name="hits")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["proposal", "rule_version"], name="hit_once")
        ]

    def __str__(self) -> str:
        return f"{self.rule_version_id} on {self.proposal_id}"


class Waiting(models.Model):
    """A proposal that waits for a person; the row goes when somebody decides.

    A table of its own so that the queue costs what waits, not what ever was.
    """

    proposal = models.OneToOneField(Proposal, models.CASCADE, primary_key=True)
    ticket = models.OneToOneField(Ticket, models.CASCADE, related_name="waiting")
    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    main_choice = models.ForeignKey(
        Choice, models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    choices = ArrayField(
        models.BigIntegerField(),
        default=list,
        help_text="Ids of all choices that are proposed, so that filters need no other table.",
    )
    urgency = models.PositiveSmallIntegerField(default=0, help_text="Rank of the priority.")
    is_held = models.BooleanField(default=False)
    with_playbook = models.BooleanField(default=False)
    uncertainty = models.FloatField(default=1.0, help_text="1 minus the main probability.")
    novelty = models.FloatField(
        default=0.0, help_text="0 (as learnt) to 1 (unlike anything learnt), by the model."
    )
    since = models.DateTimeField(help_text="When the ticket was opened.")
    target_minutes = models.PositiveIntegerField(
        default=240, help_text="From opening to the look that is due, by the priority."
    )
    look_by = models.DateTimeField(
        help_text="The place in the queue: opened + target of the priority, sooner where a human "
        "look is worth more; see triage/policy/worth.py."
    )
    blind_at = models.FloatField(
        null=True,
        blank=True,
        help_text="The probability at which it was drawn to be answered before the advice is "
        "shown. Empty: it was not drawn, or has been answered.",
    )

    class Meta:
        verbose_name_plural = "waiting"
        constraints = [
            models.CheckConstraint(
                condition=Q(blind_at__isnull=True) | Q(blind_at__gt=0, blind_at__lte=1),
                name="waiting_blind_at_in_0_1",
            )
        ]
        indexes = [
            models.Index(fields=["-is_held", "look_by", "proposal"], name="waiting_order"),
            models.Index(
                fields=["source", "-is_held", "look_by", "proposal"],
                name="waiting_by_source",
            ),
            models.Index(
                fields=["main_choice", "-is_held", "look_by", "proposal"],
                name="waiting_by_choice",
            ),
            # Few of a long queue are drawn to be answered before the advice is shown.
            models.Index(
                fields=["proposal"], condition=Q(blind_at__isnull=False), name="waiting_blind"
            ),
        ]

    def __str__(self) -> str:
        return f"proposal {self.proposal_id}"
