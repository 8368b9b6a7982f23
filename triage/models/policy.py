"""What owners decide: escalation rules, playbooks, rungs, and the emergency stop."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from triage.models.catalogue import Choice, Field, Source
from triage.models.fields import WebAddressField


class EscalationRule(models.Model):
    """An owner's structured condition and what follows. Each change makes a new RuleVersion."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="rules")
    name = models.CharField(max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField(default=0, help_text="Lower is asked first.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["source", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "name"], name="rule_name_once_per_source")
        ]

    def __str__(self) -> str:
        return self.name


class RuleVersion(models.Model):
    """What a rule said from one moment on. Never edited; proposals point here."""

    class Combine(models.TextChoices):
        ALL = "all", "all conditions"
        ANY = "any", "any condition"

    rule = models.ForeignKey(EscalationRule, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    combine = models.CharField(max_length=3, choices=Combine, default=Combine.ALL)
    conditions = models.JSONField(help_text="List of {kind, ...}; see policy/conditions.py.")
    actions = models.JSONField(help_text="List of {kind, ...}; see policy/routing.py.")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    prompted_by = models.ForeignKey(
        "triage.Proposal",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The proposal whose override led to this rule.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["rule", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "number"], name="rule_version_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.rule} v{self.number}"


class Playbook(models.Model):
    """An auto-resolution: a reply and maybe a signed call, for which choices, by its owner."""

    class FollowUp(models.TextChoices):
        RESOLVED = "resolved", "resolve the ticket"
        PENDING = "pending", "wait for the requester"
        OPEN = "open", "leave it open"

    source = models.ForeignKey(Source, models.CASCADE, related_name="playbooks")
    name = models.CharField(max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    for_choices = models.ManyToManyField(Choice, related_name="playbooks")
    words = models.JSONField(
        default=list,
        blank=True,
        help_text="Offered only if the ticket has one of these words; empty: for every ticket.",
    )
    reply = models.TextField(
        help_text="Placeholders: {requester_name} {subject} {external_id} {category} {source}."
    )
    action_url = WebAddressField(blank=True, help_text="Called with a signed POST on accept.")
    is_reversible = models.BooleanField(default=True)
    follow_up = models.CharField(max_length=8, choices=FollowUp, default=FollowUp.RESOLVED)
    is_active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["source", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "name"], name="playbook_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class Level(models.TextChoices):
    OFF = "off", "off"
    SHADOW = "shadow", "shadow"
    SUGGEST = "suggest", "suggest"
    PREFILL = "prefill", "prefill"
    AUTO = "auto", "auto"


class Certificate(models.Model):
    """Evidence that lets a rung be auto: error <= alpha with confidence 1-delta, on blind labels.

    Void once its model version is no longer champion or 90 days have passed.
    """

    field = models.ForeignKey(Field, models.PROTECT, related_name="certificates")
    choice = models.ForeignKey(Choice, models.PROTECT, related_name="certificates")
    model_version = models.ForeignKey("triage.ModelVersion", models.PROTECT, related_name="+")
    threshold = models.FloatField(help_text="Lowest probability that it covers.")
    alpha = models.FloatField()
    delta = models.FloatField()
    checks = models.PositiveIntegerField()
    errors = models.PositiveIntegerField()
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    issued_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-issued_at"]

    def __str__(self) -> str:
        return f"{self.choice} from {self.threshold:.2f}: {self.errors} of {self.checks}"


class Rung(models.Model):
    """The autonomy that a choice of a field, or a playbook, holds. No row means suggest."""

    field = models.ForeignKey(Field, models.CASCADE, null=True, blank=True, related_name="rungs")
    choice = models.ForeignKey(
        Choice,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="rungs",
        help_text="Empty: every choice of the field that has no rung of its own.",
    )
    playbook = models.OneToOneField(
        Playbook, models.CASCADE, null=True, blank=True, related_name="rung"
    )
    level = models.CharField(max_length=8, choices=Level, default=Level.SUGGEST)
    cap = models.CharField(
        max_length=8, choices=Level, default=Level.AUTO, help_text="Never higher than this."
    )
    threshold = models.FloatField(
        default=0.0, help_text="Below this probability the choice is not proposed but left open."
    )
    canary_percent = models.PositiveSmallIntegerField(
        default=5, help_text="Share of tickets on which auto acts; the rest are suggested."
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["field", "choice"]
        constraints = [
            models.UniqueConstraint(fields=["choice"], name="one_rung_per_choice"),
            models.UniqueConstraint(
                fields=["field"],
                condition=Q(choice__isnull=True, playbook__isnull=True),
                name="one_default_rung_per_field",
            ),
            models.CheckConstraint(
                condition=Q(field__isnull=False, playbook__isnull=True)
                | Q(field__isnull=True, choice__isnull=True, playbook__isnull=False),
                name="rung_of_field_or_playbook",
            ),
            models.CheckConstraint(
                condition=Q(threshold__gte=0, threshold__lte=1), name="rung_threshold_0_to_1"
            ),
            models.CheckConstraint(
                condition=Q(canary_percent__in=[5, 25, 100]), name="canary_5_25_100"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.playbook or self.choice or self.field}: {self.level}"


class EmergencyStop(models.Model):
    """While a row is not released, nothing is applied without a person.

    No source: everywhere. A choice: for that choice alone.
    """

    source = models.ForeignKey(Source, models.CASCADE, null=True, blank=True, related_name="stops")
    choice = models.ForeignKey(Choice, models.CASCADE, null=True, blank=True, related_name="stops")
    reason = models.CharField(max_length=300)
    pulled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    pulled_at = models.DateTimeField(auto_now_add=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pulled_at"]
        indexes = [
            models.Index(
                fields=["source"], condition=Q(released_at__isnull=True), name="stop_in_force"
            )
        ]

    def __str__(self) -> str:
        return f"{self.choice or self.source or 'everything'} since {self.pulled_at:%Y-%m-%d %H:%M}"


class RuleNotice(models.Model):
    """A mail that a rule asked for, sent once per ticket and rule version."""

    rule_version = models.ForeignKey(RuleVersion, models.CASCADE, related_name="notices")
    ticket = models.ForeignKey("triage.Ticket", models.CASCADE, related_name="notices")
    to = models.EmailField()
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule_version", "ticket", "to"], name="notice_once")
        ]

    def __str__(self) -> str:
        return f"to {self.to}"
