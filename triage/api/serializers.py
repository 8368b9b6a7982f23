"""What tickets and proposals look like to other programs."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from triage.models import (
    Level,
    Prediction,
    Proposal,
    ProposedValue,
    Ticket,
    TicketEvent,
    TicketVersion,
)
from triage.outcomes import outcomes


def is_blind(row: Ticket | Proposal) -> bool:
    """Whether a person has to answer before the advice is shown, to anybody."""
    waiting = getattr(row, "waiting", None)
    return waiting is not None and waiting.blind_at is not None


class TicketRef(serializers.ModelSerializer[Ticket]):
    """Enough to find the ticket here and in its helpdesk."""

    # Declared fields are moved off the class, so this never shadows Field.source.
    source = serializers.SlugRelatedField[Any](  # type: ignore[assignment]
        slug_field="slug", read_only=True
    )
    url = serializers.CharField(help_text="In the helpdesk; empty if it sent none.")

    class Meta:
        model = Ticket
        fields = ("id", "source", "external_id", "url")
        read_only_fields = fields


class TicketRow(serializers.ModelSerializer[Ticket]):
    # Declared fields are moved off the class, so this never shadows Field.source.
    source = serializers.SlugRelatedField[Any](  # type: ignore[assignment]
        slug_field="slug", read_only=True
    )
    url = serializers.CharField(help_text="In the helpdesk; empty if it sent none.")
    values = serializers.DictField(
        child=serializers.CharField(), help_text="Field key to choice key in the helpdesk now."
    )
    waiting_proposal = serializers.SerializerMethodField(
        help_text="The proposal that waits for a person, if one does."
    )

    class Meta:
        model = Ticket
        fields: tuple[str, ...] = (
            "id",
            "source",
            "external_id",
            "url",
            "version",
            "subject",
            "requester",
            "requester_name",
            "values",
            "opened_at",
            "closed_at",
            "reopened_count",
            "received_at",
            "erased_at",
            "waiting_proposal",
        )

    def get_waiting_proposal(self, ticket: Ticket) -> int | None:
        waiting = getattr(ticket, "waiting", None)
        return None if waiting is None else waiting.proposal_id

    def to_representation(self, instance: Ticket) -> dict[str, Any]:
        row = super().to_representation(instance)
        if is_blind(instance):
            # They may have been written there by ourselves.
            row |= {"values": {}} | ({"events": []} if "events" in row else {})
            for version in row.get("versions", []):
                version["values"] = {}
        return row


class VersionRow(serializers.ModelSerializer[TicketVersion]):
    values = serializers.DictField(child=serializers.CharField())
    received_at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = TicketVersion
        fields = ("version", "subject", "body", "values", "received_at")


class EventRow(serializers.ModelSerializer[TicketEvent]):
    field = serializers.CharField(source="choice.field.key", default=None, allow_null=True)
    choice = serializers.CharField(source="choice.key", default=None, allow_null=True)

    class Meta:
        model = TicketEvent
        fields = ("key", "kind", "happened_at", "field", "choice", "score")


class ValueRow(serializers.ModelSerializer[ProposedValue]):
    """The value of one field. What a rung of `shadow` holds is shown to nobody: left open here."""

    field = serializers.CharField(source="field.key")
    choice = serializers.CharField(
        source="choice.key", allow_null=True, default=None, help_text="Null: left open."
    )
    probability = serializers.FloatField(
        allow_null=True,
        min_value=0,
        max_value=1,
        help_text="The model's, calibrated; 0 to 1. Of a parent, the sum of what it stands for.",
    )
    doubt = serializers.ChoiceField(
        ProposedValue.Doubt.choices,
        allow_blank=True,
        help_text="Why a model's value was left open; empty where it was not.",
    )
    asked = serializers.FloatField(
        allow_null=True,
        min_value=0,
        max_value=1,
        help_text="The lowest probability, or in-scope score, that was asked for.",
    )

    class Meta:
        model = ProposedValue
        fields: tuple[str, ...] = (
            "field",
            "choice",
            "basis",
            "level",
            "probability",
            "doubt",
            "asked",
        )

    def to_representation(self, instance: ProposedValue) -> dict[str, Any]:
        row = super().to_representation(instance)
        if instance.level == Level.SHADOW:
            hidden = dict.fromkeys(set(row) & set(HIDDEN_IN_SHADOW))
            row |= hidden | {"basis": ProposedValue.Basis.NONE.value, "doubt": ""}
        return row


HIDDEN_BEFORE_THE_ANSWER: dict[str, Any] = {
    # As of any other that waits for a person.
    "route": Proposal.Route.REVIEW.value,
    "values": [],
    "playbook": None,
    "reply": "",
    "rules": [],
    "similar": [],
}
HIDDEN_IN_SHADOW = ("choice", "probability", "asked", "prediction", "rule")


class RuleRef(serializers.Serializer[Any]):
    """The version of a rule that matched."""

    name = serializers.CharField(source="rule.name")
    version = serializers.IntegerField(source="number")
    owner = serializers.CharField(source="rule.owner.username")


class PredictionRow(serializers.ModelSerializer[Prediction]):
    """What the model said, and on which words of the ticket that rests."""

    model_version = serializers.IntegerField(source="model_version.number")
    probabilities = serializers.DictField(
        child=serializers.FloatField(), help_text="Choice key to probability, the ten highest."
    )
    in_scope = serializers.FloatField(help_text="0 (unlike anything learnt) to 1 (typical).")
    tier = serializers.IntegerField(
        help_text="1: the fast linear model alone; 2: with sentence vectors beside it."
    )
    words_for = serializers.ListField(child=serializers.CharField())
    words_against = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Prediction
        fields = (
            "model_version",
            "probabilities",
            "in_scope",
            "tier",
            "words_for",
            "words_against",
        )


class ReasonedValueRow(ValueRow):
    prediction = PredictionRow(allow_null=True)
    rule = RuleRef(source="rule_version", allow_null=True)

    class Meta(ValueRow.Meta):
        fields = (*ValueRow.Meta.fields, "prediction", "rule")


class PlaybookRef(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    owner = serializers.CharField(source="owner.username")
    is_reversible = serializers.BooleanField()


class OutcomeRow(serializers.Serializer[Any]):
    """How a ticket went, in figures and choices; what was written stands with the ticket."""

    values = serializers.DictField(
        source="ticket.values",
        child=serializers.CharField(),
        help_text="Field key to choice key in the helpdesk now.",
    )
    closed_at = serializers.DateTimeField(
        source="ticket.closed_at", allow_null=True, help_text="Null: it is open again."
    )
    reopened_count = serializers.IntegerField(source="ticket.reopened_count")
    reassigned_count = serializers.IntegerField(source="reassigned")
    rating = serializers.IntegerField(
        allow_null=True, min_value=1, max_value=5, help_text="The last one; 1 (bad) to 5 (good)."
    )
    playbook = serializers.CharField(help_text="Whose reply was sent; empty if none was.")
    was_automatic = serializers.BooleanField(help_text="Whether it was sent without a person.")


class SimilarRow(serializers.Serializer[Any]):
    """A solved ticket that reads alike."""

    ticket = serializers.IntegerField()
    similarity = serializers.FloatField(help_text="0 to 1.")
    outcome = OutcomeRow(allow_null=True, help_text="Null: the ticket is gone.")


class ProposalRow(serializers.ModelSerializer[Proposal]):
    ticket = TicketRef()
    ticket_version = serializers.IntegerField(source="ticket_version.version")
    values = ValueRow(many=True)
    playbook: serializers.Field[Any, Any, Any, Any] = serializers.CharField(
        source="playbook.name", allow_null=True, default=None
    )
    is_waiting = serializers.SerializerMethodField(help_text="Whether a person can decide it now.")
    answer_first = serializers.SerializerMethodField(
        help_text="Whether a person has to answer, on the review page, before anybody is shown "
        "what is proposed: until then values, playbook and reasons are empty here."
    )

    class Meta:
        model = Proposal
        fields: tuple[str, ...] = (
            "id",
            "ticket",
            "ticket_version",
            "route",
            "is_waiting",
            "answer_first",
            "values",
            "playbook",
            "created_at",
        )

    def get_is_waiting(self, proposal: Proposal) -> bool:
        return hasattr(proposal, "waiting")

    def get_answer_first(self, proposal: Proposal) -> bool:
        return is_blind(proposal)

    def to_representation(self, instance: Proposal) -> dict[str, Any]:
        row = super().to_representation(instance)
        if is_blind(instance):
            row |= {key: value for key, value in HIDDEN_BEFORE_THE_ANSWER.items() if key in row}
        return row


class ProposalDetail(ProposalRow):
    values = ReasonedValueRow(many=True)
    playbook = PlaybookRef(allow_null=True)
    rules = serializers.SerializerMethodField(help_text="Every rule that matched.")
    similar = serializers.SerializerMethodField(help_text="The most alike first.")

    class Meta(ProposalRow.Meta):
        fields = (*ProposalRow.Meta.fields, "reply", "rules", "similar")

    @extend_schema_field(SimilarRow(many=True))
    def get_similar(self, proposal: Proposal) -> list[dict[str, Any]]:
        found = outcomes([item["ticket"] for item in proposal.similar])
        rows = [item | {"outcome": found.get(item["ticket"])} for item in proposal.similar]
        return list(SimilarRow(rows, many=True).data)

    @extend_schema_field(RuleRef(many=True))
    def get_rules(self, proposal: Proposal) -> list[dict[str, Any]]:
        return [dict(RuleRef(hit.rule_version).data) for hit in proposal.hits.all()]


class TicketDetail(TicketRow):
    """The ticket with its past: at most the 20 newest versions and the 200 newest events."""

    versions = VersionRow(many=True, source="newest_versions")
    events = EventRow(many=True, source="newest_events")
    proposal = serializers.SerializerMethodField(help_text="The newest one.")

    class Meta(TicketRow.Meta):
        fields = (
            *TicketRow.Meta.fields,
            "body",
            "resolution",
            "versions",
            "events",
            "proposal",
        )

    @extend_schema_field(ProposalDetail(allow_null=True))
    def get_proposal(self, ticket: Ticket) -> dict[str, Any] | None:
        newest: list[Proposal] = getattr(ticket, "newest_proposals")  # noqa: B009
        return dict(ProposalDetail(newest[0]).data) if newest else None
