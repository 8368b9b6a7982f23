"""Real rows, and the exact values that Prometheus reads of them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from review import decisions, spotchecks, undo
from review.models import Lease
from tests.review.helpers import (
    Desk,
    make_desk,
    make_model,
    make_proposal,
    make_technician,
    make_ticket,
)
from tests.review.scraping import TOKEN, scraped
from triage.models import (
    Effect,
    EmergencyStop,
    Job,
    Level,
    ModelVersion,
    Playbook,
    Proposal,
    Rung,
    Waiting,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.COUNTERSIGN_SCRAPE_TOKEN = TOKEN


@pytest.fixture
def desk() -> Desk:
    return make_desk("zammad")


def ago(**time: float) -> Any:
    return timezone.now() - timedelta(**time)


def near(seconds: float) -> Any:
    return pytest.approx(seconds, abs=5)


def test_an_empty_service_shows_noughts_where_something_could_happen(client: Client) -> None:
    found = scraped(client)

    assert found("countersign_jobs", lane="effects", state="dead") == 0
    assert found("countersign_job_oldest_age_seconds", lane="triage") == 0
    assert found("countersign_proposals_total", route="auto") == 0
    assert found("countersign_decisions_total", verdict="overridden") == 0
    assert found("countersign_withdrawals_total") == 0
    assert found("countersign_effects_total", state="refused") == 0
    assert found("countersign_proposal_oldest_waiting_seconds") == 0
    nowhere = {"source": "", "field": "", "choice": ""}
    assert found("countersign_emergency_stop", scope="everything", **nowhere) == 0


def test_jobs_are_told_by_lane_and_state_and_the_oldest_by_lane(client: Client) -> None:
    soon, now = ago(seconds=-60), timezone.now()
    kinds = Job.Kind
    Job.objects.create(kind=kinds.RECEIVE, subject=1, created_at=ago(seconds=90))
    Job.objects.create(kind=kinds.PROPOSE, subject=1, created_at=ago(seconds=30))
    Job.objects.create(kind=kinds.PROPOSE, subject=2, lease_until=soon)
    Job.objects.create(kind=kinds.EVIDENCE, subject=3, next_attempt_at=soon)
    Job.objects.create(kind=kinds.EFFECT, subject=4, dead_at=now, created_at=ago(days=2))
    Job.objects.create(kind=kinds.NOTICE, subject=5, dead_at=now, created_at=ago(days=3))
    Job.objects.create(kind=kinds.TRAIN, subject=6, created_at=ago(hours=1))

    found = scraped(client)

    for lane, states in {
        "triage": {"due": 2, "leased": 1, "later": 1, "dead": 0},
        "effects": {"due": 0, "leased": 0, "later": 0, "dead": 2},
        "learning": {"due": 1, "leased": 0, "later": 0, "dead": 0},
    }.items():
        for state, number in states.items():
            assert found("countersign_jobs", lane=lane, state=state) == number
    assert found("countersign_job_oldest_age_seconds", lane="triage") == near(90)
    assert found("countersign_job_oldest_age_seconds", lane="effects") == 0
    assert found("countersign_job_oldest_age_seconds", lane="learning") == near(3600)


def test_what_waits_for_people_is_told_by_source(client: Client, desk: Desk) -> None:
    oldest = make_proposal(desk, make_ticket(desk, opened_at=ago(hours=30)))
    Proposal.objects.filter(pk=oldest.pk).update(created_at=ago(minutes=7))
    make_proposal(desk, route=Proposal.Route.HOLD)
    drawn = make_proposal(desk)
    Waiting.objects.filter(proposal=drawn).update(blind_at=0.05)
    make_desk("quiet")
    due = Waiting.objects.get(proposal=oldest).look_by

    found = scraped(client)

    assert found("countersign_proposals_waiting", source="zammad", held="no") == 2
    assert found("countersign_proposals_waiting", source="zammad", held="yes") == 1
    assert found("countersign_proposals_waiting", source="quiet", held="no") == 0
    assert found("countersign_spot_checks_waiting", source="zammad") == 1
    assert found("countersign_proposal_oldest_waiting_seconds") == near(420)
    late = (timezone.now() - due).total_seconds()
    assert found("countersign_look_overdue_seconds", source="zammad") == near(late)
    assert found("countersign_look_overdue_seconds", source="quiet") == 0


def test_decisions_of_all_kinds_are_counted_with_what_was_taken_back(
    client: Client, desk: Desk
) -> None:
    maya = make_technician()
    made = []
    for _ in range(3):
        proposal = make_proposal(desk)
        made.append(
            decisions.decide(
                proposal=proposal, reviewer=maya, choices={}, reasons={}, with_playbook=False
            )
        )
    undo.undo(made[0], by=maya)
    Lease.objects.create(
        ticket=make_ticket(desk), holder=maya, window=uuid4(), taken_at=ago(), until=ago(hours=-1)
    )
    Lease.objects.create(
        ticket=make_ticket(desk), holder=maya, window=uuid4(), taken_at=ago(), until=ago(hours=1)
    )

    found = scraped(client)

    assert found("countersign_decisions_total", verdict="accepted") == 3
    assert found("countersign_decisions_total", verdict="overridden") == 0
    assert found("countersign_withdrawals_total") == 1
    assert found("countersign_proposals_total", route="review") == 3
    assert found("countersign_leases") == 1


def test_checks_are_counted_when_looked_at_and_when_answered(client: Client, desk: Desk) -> None:
    maya = make_technician()
    looked, answered = make_proposal(desk), make_proposal(desk)
    Waiting.objects.update(blind_at=0.05)
    spotchecks.look(Waiting.objects.get(proposal=looked))
    spotchecks.answer(proposal=answered, reviewer=maya, choices={"category": desk["network"]})

    found = scraped(client)

    assert found("countersign_spot_checks_total", stratum="waiting") == 2
    assert found("countersign_spot_checks_total", stratum="auto") == 0
    assert found("countersign_spot_checks_answered_total") == 1
    assert found("countersign_spot_checks_waiting", source="zammad") == 1


def test_effects_are_counted_when_they_end(client: Client, desk: Desk) -> None:
    proposal = make_proposal(desk)
    states = Effect.State
    for position, state in enumerate([states.PENDING, states.SENDING, states.APPLIED] * 2):
        Effect.objects.create(
            key=f"key-{position}",
            ticket=proposal.ticket,
            proposal=proposal,
            kind=Effect.Kind.NOTE,
            payload={},
            seen_version=1,
            state=state,
            finished_at=timezone.now() if state == states.APPLIED else None,
        )

    found = scraped(client)

    assert found("countersign_effects_total", state="applied") == 2
    assert found("countersign_effects_total", state="pending") is None
    assert found("countersign_effects_unfinished", state="pending") == 2
    assert found("countersign_effects_unfinished", state="sending") == 2


def test_what_no_address_was_there_for_has_ended_as_skipped(client: Client) -> None:
    silent = make_desk("silent", api_url="")
    proposal = make_proposal(silent)
    decisions.decide(
        proposal=proposal, reviewer=make_technician(), choices={}, reasons={}, with_playbook=False
    )

    skipped = Effect.objects.filter(state=Effect.State.SKIPPED).count()

    assert skipped > 0
    assert scraped(client)("countersign_effects_total", state="skipped") == skipped


def test_rungs_are_told_no_higher_than_their_cap(client: Client, desk: Desk) -> None:
    more = {"owner": desk.owner, "reason": "Measured."}
    vpn = desk["network.vpn"]
    Rung.objects.create(
        field=desk.category, choice=vpn, level=Level.AUTO, cap=Level.PREFILL, **more
    )
    Rung.objects.create(field=desk.category, level=Level.SHADOW, **more)
    playbook = Playbook.objects.create(
        source=desk.source, name="Reset by Maya", owner=desk.owner, reply="Done."
    )
    Rung.objects.create(playbook=playbook, level=Level.SUGGEST, **more)

    found = scraped(client)

    assert found.labels_of("countersign_rung_info") == [
        {"source": "zammad", "field": "category", "choice": "network.vpn", "level": "prefill"},
        {"source": "zammad", "field": "category", "choice": "", "level": "shadow"},
        {"source": "zammad", "field": "team", "choice": "", "level": "suggest"},
        {"source": "zammad", "field": "priority", "choice": "", "level": "suggest"},
    ]
    assert found.labels_of("countersign_playbook_rung_info") == [
        {"source": "zammad", "playbook": str(playbook.pk), "level": "suggest"}
    ]


def test_emergency_stops_are_there_while_in_force(client: Client, desk: Desk) -> None:
    pulled = {"reason": "Wrong team.", "pulled_by": desk.owner}
    EmergencyStop.objects.create(choice=desk["access"], **pulled)
    EmergencyStop.objects.create(source=desk.source, **pulled)
    over = {"released_by": desk.owner, "released_at": timezone.now()}
    EmergencyStop.objects.create(**pulled, **over)

    found = scraped(client)

    nowhere = {"source": "", "field": "", "choice": ""}
    assert found("countersign_emergency_stop", scope="everything", **nowhere) == 0
    zammad = {"source": "zammad", "field": "", "choice": ""}
    assert found("countersign_emergency_stop", scope="source", **zammad) == 1
    choice = {"source": "zammad", "field": "category", "choice": "access"}
    assert found("countersign_emergency_stop", scope="choice", **choice) == 1


def test_a_silent_helpdesk_is_told_with_how_long(client: Client, desk: Desk) -> None:
    make_desk("other")
    make_desk("closed", is_active=False)
    Job.objects.create(
        kind=Job.Kind.EFFECT,
        subject=make_proposal(desk).pk,
        created_at=ago(minutes=9),
        last_error="HelpdeskSilent: no answer in 5 s",
    )

    found = scraped(client)

    assert found("countersign_helpdesk_silent_seconds", source="zammad") == near(540)
    assert found("countersign_helpdesk_silent_seconds", source="other") == 0
    assert found("countersign_helpdesk_silent_seconds", source="closed") is None


def test_the_age_of_a_model_in_service_is_told_by_field(client: Client, desk: Desk) -> None:
    model = make_model(desk)
    make_model(desk, field=desk.team, state=ModelVersion.State.SHADOW)
    ModelVersion.objects.filter(pk=model.pk).update(created_at=ago(days=40))

    found = scraped(client)

    age = found("countersign_champion_age_seconds", source="zammad", field="category")
    assert age == near(40 * 86_400)
    assert found("countersign_champion_age_seconds", source="zammad", field="team") is None


def test_no_label_names_a_person_or_says_what_a_ticket_said(client: Client, desk: Desk) -> None:
    maya = make_technician()
    proposal = make_proposal(desk, model=make_model(desk))
    decisions.decide(proposal=proposal, reviewer=maya, choices={}, reasons={}, with_playbook=False)

    found = scraped(client)

    named = {label for sample in found.samples for label in sample.labels}
    assert named == {
        "choice", "field", "held", "lane", "level", "part", "route", "scope", "source", "state",
        "stratum", "verdict",
    }  # fmt: skip
    said = {value for sample in found.samples for value in sample.labels.values()}
    private = {maya.username, desk.owner.username, proposal.ticket.subject}
    assert said & {*private, proposal.ticket.requester, proposal.ticket.external_id} == set()
