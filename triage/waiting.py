"""Bringing a proposal back into the queue, as it would have come there in the first place."""

from triage.models import Proposal, ProposedValue, Waiting
from triage.policy.worth import Worth, target_minutes


def waiting_row(proposal: Proposal) -> Waiting:
    """The row, not stored, by which a proposal waits for a person; worked out from its values."""
    values = list(proposal.values.select_related("field", "choice", "prediction"))
    main = next((value for value in values if value.field.is_main), values[0] if values else None)
    ordered = [v.choice for v in values if v.choice is not None and v.field.is_ordered]
    worth = Worth(
        target_minutes=min(
            (target_minutes(choice.rank, choice.target_minutes) for choice in ordered),
            default=target_minutes(None),
        ),
        uncertainty=1.0 - (main.probability or 0.0) if main else 1.0,
        novelty=_novelty(main),
    )
    opened_at = proposal.ticket.opened_at
    return Waiting(
        proposal=proposal,
        ticket_id=proposal.ticket_id,
        source_id=proposal.ticket.source_id,
        main_choice_id=main.choice_id if main is not None else None,
        urgency=max((choice.rank for choice in ordered), default=0),
        is_held=proposal.route == Proposal.Route.HOLD,
        uncertainty=worth.uncertainty,
        novelty=worth.novelty,
        since=opened_at,
        look_by=worth.look_by(opened_at),
    )


def _novelty(main: ProposedValue | None) -> float:
    prediction = main.prediction if main is not None else None
    return 0.0 if prediction is None else 1.0 - prediction.in_scope
