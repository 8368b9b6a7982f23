"""Rows for tests of the metrics: a desk, what was proposed at it, and what became of that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import time_machine
from django.contrib.auth.models import User

from review.metrics import rollups
from review.metrics.window import Scope
from review.models import (
    BlindAnswer,
    BlindValue,
    DecidedValue,
    Decision,
    Reason,
    SpotCheck,
    Truth,
)
from triage.models import (
    Choice,
    Effect,
    Field,
    ModelVersion,
    Prediction,
    Proposal,
    ProposedValue,
    Source,
    Ticket,
    TicketEvent,
    TicketVersion,
)

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
# Longer ago than the outcome window, and inside the window of make_scope.
LONG_AGO = NOW - timedelta(days=15)
AFTER_A_WHILE = timedelta(minutes=10)
numbers = count(1)


@dataclass
class Desk:
    """A source whose category has vpn, wifi and password, and whose team has net and id."""

    source: Source
    category: Field
    team: Field
    model: ModelVersion
    choices: dict[str, Choice] = field(default_factory=dict)


def make_desk(slug: str = "norvik") -> Desk:
    owner, _ = User.objects.get_or_create(username="owner")
    source = Source.objects.create(slug=slug, name=slug.title(), owner=owner)
    category = Field.objects.create(source=source, key="category", name="Category", is_main=True)
    team = Field.objects.create(source=source, key="team", name="Team", position=1)
    desk = Desk(source, category, team, make_model(category, owner))
    network = Choice.objects.create(field=category, key="network", name="Network")
    for key, name, parent in [
        ("vpn", "VPN", network),
        ("wifi", "Wi-Fi", network),
        ("password", "Password", None),
    ]:
        desk.choices[key] = Choice.objects.create(field=category, key=key, name=name, parent=parent)
    for key, name in [("net", "Network operations"), ("id", "Identity")]:
        desk.choices[key] = Choice.objects.create(field=team, key=key, name=name)
    return desk


def make_model(category: Field, owner: User, number: int = 1) -> ModelVersion:
    return ModelVersion.objects.create(
        field=category,
        number=number,
        owner=owner,
        state=ModelVersion.State.SHADOW,
        artefact=f"category-{number}.skops",
        sha256="0" * 64,
        label_count=100,
    )


def make_ticket(desk: Desk, **over: Any) -> Ticket:
    number = next(numbers)
    fields = {"subject": f"Case {number}", "version": 1, "opened_at": LONG_AGO}
    return Ticket.objects.create(source=desk.source, external_id=str(number), **{**fields, **over})


def make_proposal(
    desk: Desk,
    main: str | None = "vpn",
    *,
    at: datetime = LONG_AGO,
    route: str = Proposal.Route.REVIEW,
    ticket: Ticket | None = None,
    version: int = 1,
    basis: str = ProposedValue.Basis.MODEL,
    model: ModelVersion | None = None,
    in_scope: float = 0.9,
) -> Proposal:
    """A proposal for a version of a ticket; main None: its main value was left open."""
    ticket = ticket or make_ticket(desk)
    row = TicketVersion.objects.create(ticket=ticket, version=version, subject=ticket.subject)
    Ticket.objects.filter(pk=ticket.pk, version__lt=version).update(version=version)
    proposal = Proposal.objects.create(ticket=ticket, ticket_version=row, route=route)
    Proposal.objects.filter(pk=proposal.pk).update(created_at=at)
    proposal.refresh_from_db()
    prediction = None
    if basis == ProposedValue.Basis.MODEL:
        prediction = Prediction.objects.create(
            ticket_version=row,
            model_version=model or desk.model,
            probabilities={},
            in_scope=in_scope,
        )
    ProposedValue.objects.create(
        proposal=proposal,
        field=desk.category,
        choice=desk.choices[main] if main else None,
        basis=basis,
        prediction=prediction,
    )
    ProposedValue.objects.create(
        proposal=proposal,
        field=desk.team,
        choice=desk.choices["net"],
        basis=ProposedValue.Basis.FOLLOWS,
    )
    return proposal


def make_reason(key: str = "wrong", applies_to: str = Reason.AppliesTo.OVERRIDE) -> Reason:
    used = Reason.objects.filter(applies_to=applies_to).count()
    reason, _ = Reason.objects.get_or_create(
        key=key, applies_to=applies_to, defaults={"label": f"{key} it is", "digit": used + 1}
    )
    return reason


def accept(proposal: Proposal, *, after: timedelta = AFTER_A_WHILE) -> Decision:
    return _decide(proposal, Decision.Verdict.ACCEPTED, after, {})


def override(
    proposal: Proposal,
    *,
    after: timedelta = AFTER_A_WHILE,
    reason: str = "wrong",
    **finals: Choice | None,
) -> Decision:
    """`finals` by field key; a field that is not named keeps what was proposed."""
    return _decide(proposal, Decision.Verdict.OVERRIDDEN, after, finals, make_reason(reason))


def escalate(proposal: Proposal, *, after: timedelta = AFTER_A_WHILE) -> Decision:
    return _hand_on(proposal, Decision.Verdict.ESCALATED, Reason.AppliesTo.ESCALATE, after)


def send_back(proposal: Proposal, *, after: timedelta = AFTER_A_WHILE) -> Decision:
    return _hand_on(proposal, Decision.Verdict.SENT_BACK, Reason.AppliesTo.SEND_BACK, after)


def make_event(ticket: Ticket, kind: str, at: datetime, **over: Any) -> TicketEvent:
    return TicketEvent.objects.create(
        ticket=ticket, key=str(next(numbers)), kind=kind, happened_at=at, **over
    )


def live(ticket: Ticket, *told: tuple[Any, ...]) -> Ticket:
    """What happens to it: (minutes after its opening, kind) and, if any, choice and score."""
    for minutes, kind, *more in told:
        what = dict(zip(("choice", "score"), more, strict=False))
        make_event(ticket, kind, ticket.opened_at + timedelta(minutes=minutes), **what)
    return ticket


def close_itself(proposal: Proposal, state: str = Effect.State.APPLIED) -> Effect:
    """A playbook sets the ticket to resolved; the helpdesk's event of it is another matter."""
    return Effect.objects.create(
        key=f"p{proposal.pk}-status",
        ticket=proposal.ticket,
        proposal=proposal,
        kind=Effect.Kind.STATUS,
        payload={"status": "resolved"},
        seen_version=1,
        state=state,
    )


def check(
    desk: Desk,
    *,
    proposed: str = "vpn",
    truth: str = "vpn",
    final: str | None = None,
    first: str | None = None,
    by: User | None = None,
    origin: str = Truth.Origin.AGREED,
    propensity: float = 0.5,
    route: str = Proposal.Route.REVIEW,
    reason: str = "wrong",
) -> Proposal:
    """A checked proposal; `final` and `first` are what the person `by` decided and had answered."""
    proposal = make_proposal(desk, proposed, route=route)
    drawn = SpotCheck.objects.create(
        proposal=proposal, propensity=propensity, stratum="x", drawn_at=proposal.created_at
    )
    Truth.objects.create(
        check_of=drawn,
        field=desk.category,
        choice=desk.choices[truth],
        origin=origin,
        settled_at=proposal.created_at + timedelta(hours=1),
    )
    if final is not None:
        if final == proposed:
            decision = accept(proposal)
        else:
            decision = override(proposal, reason=reason, category=desk.choices[final])
        if by:
            Decision.objects.filter(pk=decision.pk).update(reviewer=by)
            decision.refresh_from_db()
        if first is not None:
            answer = BlindAnswer.objects.create(
                check_of=drawn,
                reviewer=decision.reviewer,
                answered_at=proposal.created_at,
                seconds=20,
            )
            BlindValue.objects.create(
                answer=answer, field=desk.category, choice=desk.choices[first]
            )
    return proposal


def make_scope(**over: Any) -> Scope:
    """March 2026 in UTC, seen from NOW, with every main field that exists by now.

    All rows that are there by now have been counted: at that moment, as nobody reads counts from
    before they were made.
    """
    with time_machine.travel(over.get("now", NOW), tick=False):
        assert rollups.catch_up()
    fields = {
        "first": date(2026, 3, 1),
        "last": date(2026, 3, 31),
        "now": NOW,
        "outcome_days": 7,
        "main_fields": tuple(Field.objects.filter(is_main=True).values_list("pk", flat=True)),
    }
    return Scope(**{**fields, **over})


def _decide(
    proposal: Proposal,
    verdict: str,
    after: timedelta,
    finals: Mapping[str, Choice | None],
    reason: Reason | None = None,
) -> Decision:
    decision = Decision.objects.create(
        proposal=proposal,
        stands_for=proposal,
        reviewer=_reviewer(),
        verdict=verdict,
        decided_at=proposal.created_at + after,
    )
    for value in proposal.values.select_related("field", "choice"):
        final = finals.get(value.field.key, value.choice)
        DecidedValue.objects.create(
            decision=decision,
            field=value.field,
            proposed=value.choice,
            final=final,
            reason=reason if value.choice is not None and final != value.choice else None,
        )
    return decision


def _hand_on(proposal: Proposal, verdict: str, applies_to: str, after: timedelta) -> Decision:
    return Decision.objects.create(
        proposal=proposal,
        stands_for=proposal,
        reviewer=_reviewer(),
        verdict=verdict,
        reason=make_reason("because", applies_to),
        decided_at=proposal.created_at + after,
    )


def _reviewer() -> User:
    return User.objects.get_or_create(username="maya")[0]
