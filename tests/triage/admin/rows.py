"""Rows that desk tests ask for, with what is to be different."""

from typing import Any

from tests.conftest import new_ticket
from triage.models import (
    Choice,
    EscalationRule,
    Label,
    ModelVersion,
    Prediction,
    Proposal,
    ProposedValue,
    RuleVersion,
    Source,
    Ticket,
)

HOLD_VIPS: dict[str, Any] = {
    "combine": "all",
    "conditions": [{"kind": "words_any", "words": ["vip"], "where": "subject"}],
    "actions": [{"kind": "hold"}],
}


def new_rule(source: Source, **over: Any) -> EscalationRule:
    rule = EscalationRule.objects.create(
        source=source, owner=source.owner, name=over.pop("name", "VIPs are held")
    )
    RuleVersion.objects.create(rule=rule, number=1, author=source.owner, **HOLD_VIPS | over)
    return rule


def new_proposal(ticket: Ticket, choice: Choice, **over: Any) -> Proposal:
    """With one value, by the model unless told otherwise."""
    proposal = Proposal.objects.create(
        ticket=ticket, ticket_version=ticket.versions.get(), route=Proposal.Route.REVIEW
    )
    ProposedValue.objects.create(
        proposal=proposal,
        **{"field": choice.field, "choice": choice, "basis": "model", "probability": 0.9} | over,
    )
    return proposal


def new_prediction(ticket: Ticket, version: ModelVersion, **probabilities: float) -> Prediction:
    return Prediction.objects.create(
        ticket_version=ticket.versions.get(),
        model_version=version,
        probabilities=probabilities,
        in_scope=0.9,
    )


def new_check(
    version: ModelVersion, predicted: Choice, truth: Choice, score: float, **over: Any
) -> Label:
    """A ticket that the version predicted with `score`, and its blind spot check."""
    ticket = new_ticket(version.field.source)
    new_prediction(ticket, version, **{predicted.key: score})
    values = {"origin": Label.Origin.SPOT_CHECK, "propensity": 0.1} | over
    return Label.objects.create(ticket=ticket, field=version.field, choice=truth, **values)
