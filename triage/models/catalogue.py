"""Connected helpdesks and what triage fills in: sources, their secrets, fields, choices."""

from datetime import time

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from triage.models.fields import WebAddressField
from triage.models.touching import MAIN_FIELD
from triage.secrets import open_sealed, seal

KEY = RegexValidator(
    r"^[a-z0-9][a-z0-9_.-]*$",
    "Lower-case letters, digits, dots, dashes, underscores; a letter or digit comes first.",
)
SHARE = (MinValueValidator(0.0), MaxValueValidator(1.0))


def weekdays() -> list[int]:
    return [0, 1, 2, 3, 4]


class Source(models.Model):
    """A connected helpdesk. Its owner answers for what is proposed to it."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="sources")
    helpdesk = models.CharField(
        max_length=20,
        default="generic",
        help_text="Which dialect the helpdesk speaks; generic is the documented JSON shape.",
    )
    api_url = WebAddressField(
        blank=True, help_text="Where decisions are written back; empty means they are not."
    )
    allows_private_addresses = models.BooleanField(
        default=False,
        help_text="Allow write-back to private networks. Off unless the helpdesk is in-house.",
    )
    is_active = models.BooleanField(default=True, help_text="Off: deliveries are refused with 404.")
    deliveries_per_minute = models.PositiveIntegerField(
        default=6000, help_text="Above this, deliveries are answered 429 with Retry-After."
    )
    time_zone = models.CharField(max_length=64, default="UTC")
    work_starts = models.TimeField(default=time(8))
    work_ends = models.TimeField(default=time(18))
    work_days = ArrayField(
        models.PositiveSmallIntegerField(), default=weekdays, help_text="0 is Monday."
    )
    blind_share = models.FloatField(
        default=0.05,
        validators=SHARE,
        help_text="0 to 1. Share of proposals that a person answers before the advice is shown.",
    )
    second_share = models.FloatField(
        default=0.2,
        validators=SHARE,
        help_text="0 to 1. Share of those that a second person answers as well, unseen.",
    )
    embed_origins = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Origins that may show the review panel in a frame: https://desk.example.org",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(blind_share__range=(0, 1)), name="source_blind_share_0_to_1"
            ),
            models.CheckConstraint(
                condition=Q(second_share__range=(0, 1)), name="source_second_share_0_to_1"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SourceSecret(models.Model):
    """One secret of a source, sealed at rest; written once and never shown again.

    Several inbound secrets may be live at once, so that a helpdesk can change over.
    """

    class Purpose(models.TextChoices):
        INBOUND = "inbound", "signs webhooks we receive"
        OUTBOUND = "outbound", "token for writing back"
        AUTOMATION = "automation", "signs playbook calls"

    source = models.ForeignKey(Source, models.CASCADE, related_name="secrets")
    purpose = models.CharField(max_length=12, choices=Purpose)
    sealed = models.TextField(editable=False)
    hint = models.CharField(max_length=8, editable=False, help_text="The last four characters.")
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["source", "purpose"],
                condition=Q(retired_at__isnull=True),
                name="secret_live",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} …{self.hint}"

    def put(self, value: str) -> None:
        self.sealed = seal(value)
        self.hint = value[-4:]

    def value(self) -> str:
        return open_sealed(self.sealed)


class Field(models.Model):
    """What triage fills in for one source: category, team, priority, or any other."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="fields")
    key = models.CharField(max_length=40, validators=[KEY])
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    is_ordered = models.BooleanField(
        default=False, help_text="Choices have a rank, as priorities do; rules can raise them."
    )
    is_main = models.BooleanField(
        default=False, help_text="The field that workflows and reports are grouped by: category."
    )
    propose_from = models.FloatField(
        default=0.2,
        validators=SHARE,
        help_text="0 to 1. A model less sure than this proposes nothing: a person chooses.",
    )
    scope_from = models.FloatField(
        default=0.01,
        validators=SHARE,
        help_text="0 to 1. The share of the tickets a model learnt from that look stranger than "
        "this one. Below it, nothing is proposed, however sure the model is.",
    )
    settle_from = models.FloatField(
        default=0.5,
        validators=SHARE,
        help_text="0 to 1. A choice less sure than this gives way to its parent, if the choices "
        "below that add up to it. 0: never.",
    )

    class Meta:
        ordering = ["source", "position", "key"]
        constraints = [
            models.CheckConstraint(
                condition=Q(propose_from__range=(0, 1))
                & Q(scope_from__range=(0, 1))
                & Q(settle_from__range=(0, 1)),
                name="field_thresholds_0_to_1",
            ),
            models.UniqueConstraint(fields=["source", "key"], name="field_key_once_per_source"),
            models.UniqueConstraint(
                fields=["source"], condition=Q(is_main=True), name="one_main_field_per_source"
            ),
        ]
        triggers = [MAIN_FIELD]

    def __str__(self) -> str:
        return f"{self.name} ({self.source_id})" if self.pk is None else self.name


class Choice(models.Model):
    """A value of the helpdesk's live catalogue. Retired ones are kept and never proposed."""

    field = models.ForeignKey(Field, models.CASCADE, related_name="choices")
    key = models.CharField(max_length=120, help_text="The value as the helpdesk knows it.")
    name = models.CharField(max_length=160)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    description = models.TextField(blank=True)
    synonyms = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    rank = models.PositiveSmallIntegerField(default=0, help_text="Higher is more pressing.")
    target_minutes = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Of a priority: a person should have looked this long after the ticket was "
        "opened. Empty: by its rank, from eight hours for the lowest to a quarter of one.",
    )
    implies = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        related_name="implied_by",
        help_text="Choices of other fields that follow from this one: the team of a category.",
    )
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["field", "-rank", "name"]
        constraints = [
            models.UniqueConstraint(fields=["field", "key"], name="choice_key_once_per_field"),
        ]

    def __str__(self) -> str:
        return self.name

    def path(self) -> str:
        """Name with the parents before it; costs a query per parent that is not loaded."""
        return f"{self.parent.path()} › {self.name}" if self.parent else self.name
