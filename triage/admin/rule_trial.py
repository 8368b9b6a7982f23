"""What a rule would have matched among the last tickets of its source."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from triage.models import Proposal, ProposedValue, Source, Ticket
from triage.policies import Policies, policies_of
from triage.policy.conditions import Facts, Item, matches
from triage.policy.drafting import DraftValue
from triage.policy.routing import in_working_hours
from triage.policy.settling import BY_MODEL, Predicted, settle

LAST_TICKETS = 500


@dataclass(frozen=True)
class Trial:
    """`asked` tickets were looked at, the newest; `matched` are those that the rule meets."""

    asked: int
    matched: list[Ticket]

    @property
    def percent(self) -> float:
        return 100 * len(self.matched) / self.asked if self.asked else 0.0


def try_rule(source: Source, combine: str, conditions: Sequence[Item]) -> Trial:
    """Ask clean conditions of each ticket as it stood when its latest proposal was made.

    A ticket without a proposal is asked as it is now, with the values the helpdesk has.
    """
    tickets = list(
        Ticket.objects.filter(source=source)
        .defer("resolution")
        .order_by("-opened_at")[:LAST_TICKETS]
    )
    facts = _facts(source, tickets)
    met = [t for t, fact in zip(tickets, facts, strict=True) if matches(combine, conditions, fact)]
    return Trial(len(tickets), met)


def _facts(source: Source, tickets: Sequence[Ticket]) -> Iterator[Facts]:
    policies = policies_of(source)
    proposals = _latest(tickets)
    values = _values(policies, proposals.values())
    zone, now = ZoneInfo(source.time_zone), timezone.now()
    for ticket in tickets:
        proposal = proposals.get(ticket.pk)
        proposed = values[proposal.pk] if proposal else _set(policies, ticket)
        moment = proposal.created_at if proposal else now
        yield _fact(policies, source, ticket, proposed, moment.astimezone(zone))


def _fact(
    policies: Policies,
    source: Source,
    ticket: Ticket,
    proposed: Mapping[str, DraftValue],
    local: datetime,
) -> Facts:
    return Facts(
        subject=ticket.subject,
        body=ticket.body,
        requester=ticket.requester,
        values={key: value.choice for key, value in proposed.items() if value.choice},
        parents=policies.parents(proposed),
        ranks=policies.ranks,
        probabilities={
            key: value.probability
            for key, value in proposed.items()
            if value.probability is not None
        },
        age_minutes=max(0.0, (local - ticket.opened_at).total_seconds() / 60),
        reopened_count=ticket.reopened_count,
        in_working_hours=in_working_hours(
            local, source.work_starts, source.work_ends, source.work_days
        ),
    )


def _latest(tickets: Sequence[Ticket]) -> dict[int, Proposal]:
    rows = (
        Proposal.objects.filter(ticket__in=[ticket.pk for ticket in tickets])
        .order_by("ticket", "-created_at")
        .distinct("ticket")
    )
    return {proposal.ticket_id: proposal for proposal in rows}


def _values(policies: Policies, proposals: Any) -> dict[int, dict[str, DraftValue]]:
    """Proposal id -> field key -> the value before any rule had its say."""
    found: dict[int, dict[str, DraftValue]] = {proposal.pk: {} for proposal in proposals}
    rows = ProposedValue.objects.filter(proposal__in=found).select_related(
        "field", "choice", "prediction"
    )
    for row in rows.order_by():
        choice = row.choice.key if row.choice else None
        if row.basis == ProposedValue.Basis.RULE:
            choice = _said(policies, row)
        found[row.proposal_id][row.field.key] = DraftValue(
            row.field.key, choice, row.basis, row.level, row.probability
        )
    return found


def _said(policies: Policies, row: ProposedValue) -> str | None:
    """What the model proposed where a rule then set the value, as it would today."""
    if row.prediction is None:
        return None
    spec = policies.field(row.field.key)
    predicted = Predicted(row.prediction.probabilities, row.prediction.in_scope)
    settled = settle(spec.choices, spec.thresholds, predicted)
    return settled.choice if settled is not None and settled.basis in BY_MODEL else None


def _set(policies: Policies, ticket: Ticket) -> dict[str, DraftValue]:
    return {
        spec.key: DraftValue(spec.key, ticket.values[spec.key], "helpdesk", "suggest")
        for spec in policies.fields
        if ticket.values.get(spec.key) in spec.choices
    }
