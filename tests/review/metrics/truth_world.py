"""Checks for tests of the metrics: what one, two or three people answered, as rows."""

from collections.abc import Mapping
from datetime import timedelta

from django.contrib.auth.models import User

from review.looks.verdicts import Verdict, come_to
from review.models import BlindAnswer, BlindValue, SecondLook, SpotCheck, Truth
from tests.review.metrics.helpers import Desk
from triage.models import Choice, Proposal, Waiting


def make_check(
    desk: Desk, proposal: Proposal, *said: Mapping[str, str | None], waits: bool = False
) -> SpotCheck:
    """A check with answers by different people, each by field key; None: could not tell.

    `waits`: for one more person.
    """
    at = proposal.created_at
    check = SpotCheck.objects.create(
        proposal=proposal, propensity=0.05, stratum="waiting", drawn_at=at, second_at=0.2
    )
    answers: dict[str, list[Choice | None]] = {}
    for nth, one in enumerate(said, start=1):
        who, _ = User.objects.get_or_create(username=f"blind-{nth}")
        given = BlindAnswer.objects.create(
            check_of=check, reviewer=who, answered_at=at + timedelta(hours=nth), seconds=9, nth=nth
        )
        for key, choice_key in one.items():
            field = desk.category if key == "category" else desk.team
            choice = desk.choices[choice_key] if choice_key else None
            BlindValue.objects.create(answer=given, field=field, choice=choice)
            answers.setdefault(key, []).append(choice)
    for key, choices in answers.items():
        _settle(desk, check, key, choices)
    if waits:
        SecondLook.objects.create(check_of=check, nth=len(said) + 1, since=at)
    return check


def _settle(desk: Desk, check: SpotCheck, key: str, choices: list[Choice | None]) -> None:
    truth, origin = choices[0], Truth.Origin.SINGLE
    if len(choices) > 1:
        come = come_to([choice.pk if choice else None for choice in choices])
        truth = next((c for c in choices if c and c.pk == come.choice), None)
        is_agreed = come.verdict == Verdict.AGREED
        origin = Truth.Origin.AGREED if is_agreed else Truth.Origin.ADJUDICATED
    if truth is not None:
        field = desk.category if key == "category" else desk.team
        Truth.objects.create(
            check_of=check, field=field, choice=truth, origin=origin, settled_at=check.drawn_at
        )


def draw_unopened(desk: Desk, proposal: Proposal) -> Waiting:
    """It waits to be answered first, and nobody has opened it."""
    at = proposal.created_at
    return Waiting.objects.create(
        proposal=proposal,
        ticket=proposal.ticket,
        source=desk.source,
        since=at,
        look_by=at,
        blind_at=0.05,
    )


def make_all_checks(desk: Desk, proposals: list[Proposal]) -> None:
    """Ten proposals in every state that a check can be in, with every verdict."""
    vpn, wifi, password = ({"category": key} for key in ("vpn", "wifi", "password"))
    make_check(desk, proposals[0])
    make_check(desk, proposals[1], vpn)
    make_check(desk, proposals[2], {**vpn, "team": "net"}, waits=True)
    make_check(desk, proposals[3], {**vpn, "team": "net"}, {**vpn, "team": "id"}, waits=True)
    make_check(desk, proposals[4], vpn, vpn)
    make_check(desk, proposals[5], vpn, wifi, wifi)
    make_check(desk, proposals[6], vpn, wifi, password)
    make_check(desk, proposals[7], {"category": None}, {"category": None})
    make_check(desk, proposals[8], {"category": None}, vpn, waits=True)
    draw_unopened(desk, proposals[9])
