"""Past tickets with a truth, and people who know of drills and have decided enough to get one."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from review.models import (
    Decision,
    Drill,
    DrillAcknowledgement,
    DrillAnswer,
    DrillProgramme,
    SpotCheck,
    Truth,
)
from tests.review.helpers import Desk, make_model, make_proposal, make_ticket
from triage.models import ModelVersion, Proposal

EVERY = 20


def model_of(desk: Desk) -> ModelVersion:
    return ModelVersion.objects.filter(field=desk.category).first() or make_model(desk)


def make_known(
    desk: Desk,
    *,
    truth: str = "network.vpn",
    origin: str = Truth.Origin.AGREED,
    over: dict[str, Any] | None = None,
    **values: Any,
) -> Proposal:
    """A ticket of a month ago, proposed as VPN by the model, with what people said blind.

    `over` changes the ticket, `values` the proposal.
    """
    now = timezone.now()
    times = {"opened_at": now - timedelta(days=30), "closed_at": now - timedelta(days=28)}
    ticket = make_ticket(desk, **{**times, **(over or {})})
    cited = {"words_for": ["VPN"], "words_against": ["client"]}
    made = {"model": model_of(desk), "waits": False, **cited, **values}
    proposal = make_proposal(desk, ticket, **made)
    Proposal.objects.filter(pk=proposal.pk).update(created_at=now - timedelta(days=30))
    check = SpotCheck.objects.create(
        proposal=proposal, propensity=0.05, stratum="waiting", drawn_at=now
    )
    Truth.objects.create(
        check_of=check, field=desk.category, choice=desk[truth], origin=origin, settled_at=now
    )
    return proposal


def make_programme(desk: Desk, **over: Any) -> DrillProgramme:
    """Switched on an hour ago."""
    values = {
        "is_on": True,
        "disclosure": "There are drills.",
        "every": EVERY,
        "disclosed_at": timezone.now() - timedelta(hours=1),
        "changed_by": desk.owner,
    }
    return DrillProgramme.objects.create(source=desk.source, **{**values, **over})


def acknowledge(programme: DrillProgramme, person: User) -> DrillAcknowledgement:
    return DrillAcknowledgement.objects.create(
        programme=programme, person=person, at=timezone.now() - timedelta(minutes=50)
    )


def have_decided(desk: Desk, person: User, number: int = EVERY) -> None:
    """So many decisions since the acknowledgement, long enough ago to be no load."""
    proposal = make_proposal(desk, waits=False)
    at = timezone.now() - timedelta(minutes=40)
    Decision.objects.bulk_create(
        Decision(proposal=proposal, reviewer=person, verdict="accepted", decided_at=at)
        for _ in range(number)
    )


def make_ready(desk: Desk, person: User, **over: Any) -> DrillProgramme:
    """After the next decision a drill is due, as far as counts go."""
    programme = make_programme(desk, **over)
    acknowledge(programme, person)
    have_decided(desk, person)
    return programme


def make_drill(desk: Desk, person: User, proposal: Proposal, advice: str, **over: Any) -> Drill:
    truth = Truth.objects.get(check_of__proposal=proposal)
    values = {
        "shown_at": timezone.now() - timedelta(seconds=30),
        "known_by": truth.origin,
        "version": model_of(desk),
    }
    return Drill.objects.create(
        proposal=proposal,
        person=person,
        advice=desk[advice],
        truth=truth.choice,
        is_right=desk[advice] == truth.choice,
        **{**values, **over},
    )


def make_answer(drill: Drill, *, is_accepted: bool, **over: Any) -> DrillAnswer:
    verdict = DrillAnswer.Verdict.ACCEPTED if is_accepted else DrillAnswer.Verdict.OVERRIDDEN
    values = {
        "verdict": verdict,
        "final": drill.advice if is_accepted else drill.truth,
        "seconds": 12.0,
        "answered_at": timezone.now(),
    }
    return DrillAnswer.objects.create(drill=drill, **{**values, **over})
