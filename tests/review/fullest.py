"""The ticket that has everything its page can show, for tests of what the page costs."""

from datetime import timedelta

from django.utils import timezone

from review import decisions
from tests.review.helpers import (
    Desk,
    make_model,
    make_prediction,
    make_proposal,
    make_reasons,
    make_ticket,
    make_user,
)
from triage.models import (
    Delivery,
    Effect,
    EscalationRule,
    Playbook,
    Proposal,
    ProposedValue,
    RuleHit,
    RuleVersion,
    Ticket,
    TicketEvent,
    TicketVersion,
)

MINUTE = timedelta(minutes=1)


def make_fullest(desk: Desk) -> Ticket:
    """Decided once, changed since, and waiting again: held by a rule, with a reply on offer."""
    reasons = make_reasons()
    ticket = make_ticket(
        desk,
        subject="VPN drops again",
        body="The VPN asks for my password again.",
        url="https://desk.example.org/7",
        reopened_count=1,
        opened_at=timezone.now() - 90 * MINUTE,
    )
    make_ticket(desk, opened_at=timezone.now() - 100 * MINUTE)
    first = make_proposal(desk, ticket)
    decisions.decide(
        proposal=first,
        reviewer=make_user("bob", first_name="Bob"),
        choices={"category": desk["access.password"]},
        reasons={"category": reasons["override.other"]},
        with_playbook=False,
        text="They said so on the phone.",
    )
    Effect.objects.update(state=Effect.State.CONFLICT)
    _change(desk, ticket)
    _happen(desk, ticket)
    second = _propose_again(desk, ticket)
    for number in range(2):
        _match(desk, second, f"Rule {number}")
    return ticket


def _change(desk: Desk, ticket: Ticket) -> None:
    delivery = Delivery.objects.create(
        source=desk.source,
        webhook_id=f"change-{ticket.pk}",
        body=b"{}",
        body_sha256="0" * 64,
        outcome=Delivery.Outcome.APPLIED,
    )
    TicketVersion.objects.create(
        ticket=ticket, version=2, subject=ticket.subject, body="And Wi-Fi too.", delivery=delivery
    )
    Ticket.objects.filter(pk=ticket.pk).update(version=2)


def _happen(desk: Desk, ticket: Ticket) -> None:
    for number, (kind, choice, score) in enumerate(
        [
            (TicketEvent.Kind.REASSIGNED, desk["team.id"], None),
            (TicketEvent.Kind.RATED, None, 2),
            (TicketEvent.Kind.REOPENED, None, None),
        ]
    ):
        TicketEvent.objects.create(
            ticket=ticket,
            key=f"E{number}",
            kind=kind,
            choice=choice,
            score=score,
            happened_at=timezone.now() - number * MINUTE,
        )


def _propose_again(desk: Desk, ticket: Ticket) -> Proposal:
    playbook = Playbook.objects.create(
        source=desk.source, name="Roll back", owner=desk.owner, reply="Hello"
    )
    proposal = make_proposal(
        desk,
        ticket,
        model=make_model(desk),
        words_for=["VPN"],
        words_against=["password"],
        route=Proposal.Route.HOLD,
        playbook=playbook,
        reply="Hello Ann,\nplease restart.",
        similar=[{"ticket": _solved(desk, playbook), "similarity": 0.9 - n / 10} for n in range(3)],
    )
    of_team = make_model(desk, field=desk.team)
    proposal.values.filter(field=desk.team).update(
        basis=ProposedValue.Basis.MODEL,
        probability=0.8,
        prediction=make_prediction(proposal.ticket_version, of_team, 0.8),
    )
    rule = _match(desk, proposal, "Urgent words")
    proposal.values.filter(field=desk.priority).update(
        basis=ProposedValue.Basis.RULE, rule_version=rule
    )
    return proposal


def _solved(desk: Desk, playbook: Playbook) -> int:
    solved = make_ticket(
        desk,
        closed_at=timezone.now(),
        resolution="Rolled back.",
        values={"category": "network.vpn"},
    )
    proposal = make_proposal(desk, solved, playbook=playbook, waits=False)
    _happen(desk, solved)
    Effect.objects.create(
        key=f"p{proposal.pk}-reply",
        ticket=solved,
        proposal=proposal,
        kind=Effect.Kind.REPLY,
        payload={},
        seen_version=1,
        state=Effect.State.APPLIED,
    )
    return solved.pk


def _match(desk: Desk, proposal: Proposal, name: str) -> RuleVersion:
    rule = EscalationRule.objects.create(source=desk.source, name=name, owner=desk.owner)
    version = RuleVersion.objects.create(
        rule=rule, number=1, conditions=[], actions=[{"kind": "hold"}], author=desk.owner
    )
    RuleHit.objects.create(proposal=proposal, rule_version=version)
    return version
