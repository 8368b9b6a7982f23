"""Why a ticket stands where it stands, as its row and its page tell it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from review.queue import ahead_of, from_on
from tests.review.helpers import Desk, make_desk, make_proposal, make_reader, make_ticket
from triage.models import Proposal, Waiting
from triage.policy.worth import Worth

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(make_reader())
    return client


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def html(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (72, "12 min over target"),
        (60 * 4, "3 h over target"),
        (60 * 24 * 4, "3 days over target"),
    ],
)
def test_a_row_says_how_far_it_is_over_its_target(
    reader: Client, desk: Desk, minutes: int, words: str
) -> None:
    opened = timezone.now() - timedelta(minutes=minutes, seconds=10)
    make_proposal(desk, make_ticket(desk, opened_at=opened), priority="high")

    row = html(reader, "/").split("data-row")[1]

    assert f">{words}</time>" in row
    assert 'class="due warn"' in row


def test_a_row_says_when_it_is_due(reader: Client, desk: Desk) -> None:
    opened = timezone.now()
    make_proposal(desk, make_ticket(desk, opened_at=opened), priority="high")

    row = html(reader, "/").split("data-row")[1]

    due = timezone.localtime(opened + timedelta(hours=1))
    assert re.search(rf">due (\w+ )?{due:%H:%M}</time>", row)
    assert 'class="due"' in row


def test_the_page_of_a_ticket_adds_up_why_it_stands_there(reader: Client, desk: Desk) -> None:
    proposal = make_proposal(desk, priority="high")
    worth = Worth(target_minutes=60, uncertainty=0.667, novelty=0.9)
    row = Waiting.objects.get(proposal=proposal)
    Waiting.objects.update(
        uncertainty=0.667, novelty=0.9, target_minutes=60, look_by=worth.look_by(row.since)
    )

    page = html(reader, f"/tickets/{proposal.ticket_id}/")

    assert "<dt>target of High</dt><dd>+ 60 min</dd>" in page
    assert "<dt>because the model is unsure</dt><dd>− 10 min</dd>" in page
    assert "<dt>because it is unlike anything learnt</dt><dd>− 8 min</dd>" in page
    assert f"{timezone.localtime(worth.look_by(row.since)):%H:%M}</dd>" in page


def test_what_a_rule_holds_says_that_it_comes_first(reader: Client, desk: Desk) -> None:
    held = make_proposal(desk, route=Proposal.Route.HOLD, priority=None)

    page = html(reader, f"/tickets/{held.ticket_id}/")

    assert "<dt>held by a rule</dt><dd>before all that is not</dd>" in page
    assert "<dt>target without a priority</dt><dd>+ 4 h</dd>" in page


def test_a_ticket_that_does_not_wait_has_no_place(reader: Client, desk: Desk) -> None:
    gone = make_proposal(desk, waits=False)

    assert "its place in line" not in html(reader, f"/tickets/{gone.ticket_id}/")


def test_every_ticket_stands_before_another_or_from_it_on() -> None:
    desk = make_desk()
    now = timezone.now()
    for number in range(8):
        route = Proposal.Route.HOLD if number % 3 == 0 else Proposal.Route.REVIEW
        opened = now - timedelta(minutes=number % 4)
        make_proposal(desk, make_ticket(desk, opened_at=opened), route=route)
    line = list(Waiting.objects.order_by("-is_held", "look_by", "proposal"))

    for place, row in enumerate(line):
        rows = Waiting.objects.order_by("-is_held", "look_by", "proposal")
        assert list(rows.filter(ahead_of(row))) == line[:place]
        assert list(rows.filter(from_on(row))) == line[place:]
