"""A quarter of work in which some workflows go wrong, for the pages and pictures of metrics."""

import random
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page

from review.metrics import rollups
from review.metrics.definitions import DEFINITIONS
from review.models import MetricDefinition
from tests.browser.stage import Stage
from tests.review.helpers import make_reader
from tests.review.metrics.helpers import (
    Desk,
    accept,
    close_itself,
    escalate,
    live,
    make_desk,
    make_proposal,
    make_ticket,
    override,
    send_back,
)
from triage.models import Choice, Proposal

HOUR, DAY = 60, 24 * 60
# Each with how often, of 100, it comes back to a team, is escalated, and is opened again.
WORKFLOWS = {
    "VPN": (6, 4, 5),
    "Wi-Fi": (8, 5, 4),
    "Password reset": (1, 1, 2),
    "Laptop for a new colleague": (34, 26, 9),
    "Printer": (9, 4, 22),
    "Invoice access": (12, 22, 6),
    "Phishing report": (7, 14, 3),
    "Software request": (10, 6, 6),
    "Mailbox": (5, 3, 5),
    "Phone": (9, 5, 6),
}


def workflows(stage: Stage) -> Page:
    lead = make_quarter()
    window = stage.opener(lead, stage.size, color_scheme=stage.scheme, reduced_motion="reduce")
    window.open("/metrics/workflows/?days=90")
    return window.page


def make_quarter(tickets: int = 500) -> User:
    """Everything is counted; answers somebody who may read it."""
    desk, chance, now = make_desk(), random.Random(5), timezone.now()
    lead = make_reader()
    for name in WORKFLOWS:
        key = name.lower().replace(" ", "-")
        desk.choices[key] = Choice.objects.create(field=desk.category, key=f"w-{key}", name=name)
    for _ in range(tickets):
        _work(desk, chance, now)
    _change_a_definition(lead, now - timedelta(days=35))
    assert rollups.catch_up()
    return lead


def _work(desk: Desk, chance: random.Random, now: datetime) -> None:
    name = chance.choices(list(WORKFLOWS), weights=[9, 7, 12, 5, 4, 4, 2, 3, 2, 2])[0]
    returns, escalates, reopens = WORKFLOWS[name]
    key = name.lower().replace(" ", "-")
    opened = now - timedelta(days=chance.uniform(0.5, 88))
    ticket = make_ticket(desk, opened_at=opened)
    told = _happenings(desk, chance, returns, reopens)
    if chance.random() < 0.1:
        live(ticket, *_over(told, opened, now))
        return
    is_auto = key == "password-reset" and chance.random() < 0.8
    proposal = make_proposal(
        desk,
        key,
        at=opened + timedelta(seconds=3),
        ticket=ticket,
        route=Proposal.Route.AUTO if is_auto else Proposal.Route.REVIEW,
        in_scope=chance.random() if chance.random() < 0.95 else 0.01,
    )
    if is_auto:
        close_itself(proposal)
    else:
        _decide(desk, chance, proposal, escalates)
    live(ticket, *_over(told, opened, now))


def _decide(desk: Desk, chance: random.Random, proposal: Proposal, escalates: int) -> None:
    after = timedelta(minutes=chance.lognormvariate(3, 1))
    dice = chance.random() * 100
    if dice < escalates:
        escalate(proposal, after=after)
    elif dice < escalates + 3:
        send_back(proposal, after=after)
    elif dice < escalates + 22:
        reason = chance.choice(["missing context", "wrong category", "wrong category", "policy"])
        final = chance.choice(["vpn", "wi-fi", "printer", "mailbox"])
        override(proposal, after=after, reason=reason, category=desk.choices[final])
    elif dice < 94:
        accept(proposal, after=after)


def _happenings(
    desk: Desk, chance: random.Random, returns: int, reopens: int
) -> list[tuple[Any, ...]]:
    net, identity = desk.choices["net"], desk.choices["id"]
    begun = chance.lognormvariate(3, 1)
    done = begun + chance.lognormvariate(4, 1)
    told: list[tuple[Any, ...]] = [(begun, "started"), (done, "resolved")]
    if chance.random() * 100 < returns:
        told += [(begun + 1, "reassigned", net), (begun + 2, "reassigned", identity)]
        told += [(begun + 3, "reassigned", net)]
    elif chance.random() < 0.2:
        told.append((begun + 1, "reassigned", identity))
    if chance.random() < 0.07:
        told.append((begun, "recategorised", desk.choices[chance.choice(["vpn", "phone"])]))
    if chance.random() < 0.3:
        told += [(begun + 5, "paused"), (done - 1, "started")] if done - begun > 10 else []
    if chance.random() * 100 < reopens:
        back = done + chance.uniform(0.5, 12) * DAY
        told += [(back, "reopened"), (back + HOUR, "started"), (back + 5 * HOUR, "resolved")]
    if chance.random() < 0.2:
        told.append((done + 9 * HOUR, "rated", None, chance.choice([1, 4, 5, 5])))
    return told


def _over(told: list[tuple[Any, ...]], opened: datetime, now: datetime) -> list[tuple[Any, ...]]:
    """What has happened by now."""
    return [one for one in told if opened + timedelta(minutes=one[0]) < now]


def _change_a_definition(lead: User, at: datetime) -> None:
    for key in ("outcomes-by-route", "reopened"):
        one = DEFINITIONS[key]
        MetricDefinition.objects.create(
            key=key,
            version=2,
            formula=str(one.formula),
            purpose=str(one.purpose),
            caveat=str(one.caveat),
            audience=one.audience,
            min_n=one.min_n,
            parameters={"outcome_days": 14},
            proposer=lead,
            proposed_at=at,
            activated_at=at,
            activated_by=lead,
            unratified_because="A week was too short.",
        )
