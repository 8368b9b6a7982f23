"""Which tickets come before a person to be answered first, and what that leaves as it is."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from review import decisions, spotchecks
from review.metrics import counts, rollups
from review.metrics.window import Scope
from review.models import Decision, SpotCheck
from tests.conftest import event_message, ticket_message
from tests.review.helpers import make_reasons
from tests.triage.test_propose import champion, make_auto, past
from triage import steps
from triage.models import (
    Choice,
    Effect,
    Label,
    ModelVersion,
    Proposal,
    Rung,
    Source,
    Ticket,
    Waiting,
)

__all__ = ["champion", "past"]
pytestmark = pytest.mark.django_db

Maker = Callable[..., Ticket]


@pytest.fixture
def drawing(source: Source, catalogue: dict[str, Choice]) -> Source:
    """A source of whose tickets every one is answered first."""
    source.blind_share = 1.0
    source.save()
    return source


@pytest.fixture
def automatic(
    champion: ModelVersion,
    catalogue: dict[str, Choice],
    drawing: Source,
    make_ticket: Maker,
) -> Proposal:
    """A proposal that was applied without a person, and drawn."""
    make_auto(champion, catalogue, drawing.owner)
    drawing.api_url = "http://127.0.0.1:9/api"
    drawing.save()
    ticket = make_ticket(drawing, subject="vpn drops", external_id="T-1")
    steps.propose([ticket.versions.get().pk])
    return Proposal.objects.get()


def test_as_many_wait_to_be_answered_first_as_the_owner_set(
    source: Source, catalogue: dict[str, Choice], make_ticket: Maker, settings: Settings
) -> None:
    settings.COUNTERSIGN_BLIND_SALT = "a salt of the test"
    source.blind_share = 0.2
    source.save()
    tickets = [make_ticket(source, external_id=f"D-{number}") for number in range(300)]

    steps.propose([ticket.versions.get().pk for ticket in tickets])

    drawn = Waiting.objects.filter(blind_at=0.2).count()
    # Four standard errors.
    assert drawn == pytest.approx(60, abs=28)
    assert Waiting.objects.filter(blind_at__isnull=True).count() == 300 - drawn


def test_a_share_of_nothing_draws_nothing_that_people_decide(
    source: Source, catalogue: dict[str, Choice], make_ticket: Maker, settings: Settings
) -> None:
    settings.COUNTERSIGN_BLIND_LEAST = 1.0

    steps.propose([make_ticket(source).versions.get().pk])

    assert Waiting.objects.get().blind_at is None


def test_the_next_version_of_a_ticket_that_was_not_answered_is_answered_first_too(
    drawing: Source, deliver: Callable[..., Any], work: Callable[[], int]
) -> None:
    deliver(drawing, ticket_message())
    work()
    deliver(drawing, ticket_message(version=2, body="It is the printer after all."))
    work()

    waiting = Waiting.objects.get()
    assert waiting.proposal.ticket_version.version == 2
    assert waiting.blind_at == 1.0


def test_a_ticket_whose_advice_was_on_show_is_not_drawn_later(
    source: Source,
    catalogue: dict[str, Choice],
    deliver: Callable[..., Any],
    work: Callable[[], int],
) -> None:
    deliver(source, ticket_message())
    work()
    Source.objects.update(blind_share=1.0)
    deliver(source, ticket_message(version=2, body="It is the printer after all."))
    work()

    assert Waiting.objects.get().blind_at is None


@pytest.mark.parametrize("answered", [True, False])
def test_a_reopened_ticket_is_answered_first_unless_it_was(
    drawing: Source,
    catalogue: dict[str, Choice],
    deliver: Callable[..., Any],
    work: Callable[[], int],
    technician: User,
    answered: bool,
) -> None:
    deliver(drawing, ticket_message())
    work()
    if answered:
        spotchecks.answer(
            proposal=Proposal.objects.get(),
            reviewer=technician,
            choices={"category": catalogue["network"]},
        )
    deliver(drawing, event_message(id="E-1", kind="resolved", happened_at="2030-03-02T10:00Z"))
    work()
    deliver(drawing, event_message(id="E-2", kind="reopened", happened_at="2030-03-02T11:00Z"))
    work()

    assert Waiting.objects.get().blind_at == (None if answered else 1.0)


def test_no_suggestion_stands_in_the_helpdesk_before_the_answer(
    champion: ModelVersion, catalogue: dict[str, Choice], drawing: Source, make_ticket: Maker
) -> None:
    network = catalogue["network"]
    Rung.objects.create(
        field=network.field, choice=network, level="prefill", owner=drawing.owner, reason="earned"
    )
    steps.propose([make_ticket(drawing, subject="vpn drops").versions.get().pk])
    assert Waiting.objects.get().blind_at == 1.0
    assert not Effect.objects.exists()

    Source.objects.update(blind_share=0.0)
    steps.propose([make_ticket(drawing, subject="vpn drops").versions.get().pk])
    assert Effect.objects.get().kind == "note"


def test_what_is_applied_without_a_person_is_drawn_though_the_owner_set_nothing(
    champion: ModelVersion,
    catalogue: dict[str, Choice],
    source: Source,
    make_ticket: Maker,
    settings: Settings,
) -> None:
    settings.COUNTERSIGN_BLIND_LEAST = 1.0
    make_auto(champion, catalogue, source.owner)

    steps.propose([make_ticket(source, subject="vpn drops").versions.get().pk])

    assert Proposal.objects.get().route == "auto"
    assert Waiting.objects.get().blind_at == 1.0
    assert set(Effect.objects.values_list("kind", flat=True)) == {"values", "note"}


def test_the_check_of_an_automatic_proposal_outlives_the_ticket(
    automatic: Proposal,
    drawing: Source,
    deliver: Callable[..., Any],
    work: Callable[[], int],
    technician: User,
    catalogue: dict[str, Choice],
) -> None:
    """What it closes by itself would otherwise never be checked."""
    deliver(drawing, event_message(id="E-1", kind="resolved", happened_at="2030-03-02T10:00Z"))
    deliver(drawing, ticket_message(version=2, body="Thank you, it works."))
    work()

    assert Proposal.objects.count() == 1
    assert Waiting.objects.get().proposal == automatic
    spotchecks.answer(
        proposal=automatic, reviewer=technician, choices={"category": catalogue["network"]}
    )
    check = SpotCheck.objects.get()
    assert (check.stratum, check.propensity) == ("auto", 1.0)
    assert Label.objects.get(origin="spot_check", ticket=automatic.ticket).propensity == 1.0


def _answered(automatic: Proposal, technician: User, choice: Choice) -> None:
    spotchecks.answer(proposal=automatic, reviewer=technician, choices={"category": choice})


@pytest.mark.parametrize("is_sent", [True, False])
def test_agreeing_with_what_was_applied_writes_no_value_twice(
    automatic: Proposal, technician: User, catalogue: dict[str, Choice], is_sent: bool
) -> None:
    if is_sent:
        Effect.objects.update(state=Effect.State.APPLIED)
    _answered(automatic, technician, catalogue["network"])

    decisions.decide(
        proposal=automatic, reviewer=technician, choices={}, reasons={}, with_playbook=False
    )

    states = dict(Effect.objects.values_list("key", "state"))
    first, second = f"p{automatic.pk}", f"p{automatic.pk}.2"
    if is_sent:
        assert states == {
            f"{first}-values": "applied",
            f"{first}-note": "applied",
            f"{second}-note": "pending",
        }
    else:
        # What nobody had sent yet is now the person's to send.
        assert states == {
            f"{first}-values": "dropped",
            f"{first}-note": "dropped",
            f"{second}-values": "pending",
            f"{second}-note": "pending",
        }


@pytest.mark.parametrize("is_sent", [True, False])
def test_correcting_what_was_applied_writes_the_new_values(
    automatic: Proposal, technician: User, catalogue: dict[str, Choice], is_sent: bool
) -> None:
    if is_sent:
        Effect.objects.update(state=Effect.State.APPLIED)
    _answered(automatic, technician, catalogue["access"])

    decisions.decide(
        proposal=automatic,
        reviewer=technician,
        choices={"category": catalogue["access"]},
        reasons={"category": make_reasons()["override.wrong"]},
        with_playbook=False,
    )

    first = Effect.objects.get(key=f"p{automatic.pk}-values")
    assert first.state == ("applied" if is_sent else "dropped")
    correction = Effect.objects.get(key=f"p{automatic.pk}.2-values")
    # The team was applied with the category; where that never left, it goes along now.
    expected = {"category": "access"} | ({} if is_sent else {"team": "infrastructure"})
    assert correction.payload["values"] == expected
    assert correction.position > first.position


def test_the_figures_go_on_counting_it_as_applied_without_a_person(
    automatic: Proposal, technician: User, catalogue: dict[str, Choice]
) -> None:
    _answered(automatic, technician, catalogue["access"])
    decisions.decide(
        proposal=automatic,
        reviewer=technician,
        choices={"category": catalogue["access"]},
        reasons={"category": make_reasons()["override.wrong"]},
        with_playbook=False,
    )
    now = timezone.now()
    day = now.date()
    main = (catalogue["network"].field_id,)
    scope = Scope(first=day, last=day, now=now, outcome_days=7, main_fields=main)

    assert Decision.objects.get().verdict == "overridden"
    assert rollups.catch_up()
    (row,) = counts.outcomes(scope)
    assert row.counts == {"auto": 1}
    assert counts.answers(scope) == []
    assert counts.override_reasons(scope) == []
    assert counts.decision_times(scope) == []
