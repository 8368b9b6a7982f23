"""Two desks at which anything may happen in any order, as chance has it."""

import random
from datetime import timedelta

from review.models import Decision, SpotCheck
from tests.review.metrics.helpers import (
    LONG_AGO,
    Desk,
    accept,
    close_itself,
    escalate,
    make_desk,
    make_event,
    make_proposal,
    make_ticket,
    override,
    send_back,
)
from triage.models import Proposal, Ticket, TicketEvent

Kind = TicketEvent.Kind
DAY = timedelta(days=1)


class Play:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.desks = [make_desk("here"), make_desk("there")]
        self.made: list[Proposal] = []

    def act(self) -> None:
        often = [self.propose, self.propose, self.decide, self.decide, *[self.happen] * 4]
        self.chance.choice([*often, self.check, self.take_back, self.lose_an_event])()

    def propose(self) -> None:
        again = self.made and self.chance.random() < 0.3
        ticket = self.chance.choice(self.made).ticket if again else None
        desk = self.desk_of(ticket) if ticket else self.desks[0]
        at = LONG_AGO - self.chance.randrange(4) * DAY
        route = self.chance.choice(list(Proposal.Route))
        proposal = make_proposal(
            desk,
            self.chance.choice(["vpn", "wifi", "password", None]),
            at=at,
            ticket=ticket or make_ticket(desk, opened_at=at - self.chance.randrange(3) * DAY),
            version=ticket.proposals.count() + 1 if ticket else 1,
            route=route,
            in_scope=self.chance.choice([0.01, 0.9]),
        )
        self.made.append(proposal)
        if route == Proposal.Route.AUTO and self.chance.random() < 0.5:
            close_itself(proposal)

    def decide(self) -> None:
        free = [one for one in self.made if not one.decisions.exists()]
        if not free:
            return
        one = self.chance.choice(free)
        after = self.chance.randrange(5) * DAY + timedelta(minutes=self.chance.randrange(9))
        finish = self.chance.choice([accept, escalate, send_back, override])
        desk = self.desk_of(one.ticket)
        values = {"category": desk.choices["wifi"]} if finish is override else {}
        finish(one, after=after, **values)

    def take_back(self) -> None:
        Decision.objects.filter(pk__in=Decision.objects.values("pk")[:1]).update(stands_for=None)

    def happen(self) -> None:
        if not self.made:
            return
        ticket = self.chance.choice(self.made).ticket
        kind = self.chance.choice([*Kind, *[Kind.RESOLVED] * 8])
        later = self.chance.randrange(9) * DAY + timedelta(minutes=self.chance.randrange(99))
        team = self.desk_of(ticket).choices[self.chance.choice(["net", "id"])]
        make_event(
            ticket,
            kind,
            LONG_AGO + later,
            choice=team if kind == Kind.REASSIGNED else None,
            score=self.chance.randint(1, 5) if kind == Kind.RATED else None,
        )

    def lose_an_event(self) -> None:
        TicketEvent.objects.filter(pk__in=TicketEvent.objects.values("pk")[:1]).delete()

    def check(self) -> None:
        free = [one for one in self.made if not SpotCheck.objects.filter(proposal=one).exists()]
        if free:
            SpotCheck.objects.create(
                proposal=self.chance.choice(free),
                propensity=0.1,
                stratum="auto",
                drawn_at=LONG_AGO,
            )

    def desk_of(self, ticket: Ticket) -> Desk:
        return next(one for one in self.desks if one.source.pk == ticket.source_id)
