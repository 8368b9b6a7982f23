"""When a drill comes: rarely, to those who know of it, unforeseeably, and never under pressure."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from review.catalogue import catalogue
from review.drills import programme, turns
from review.drills.turns import give, is_coming
from review.models import Decision, Drill, DrillAcknowledgement, Lease
from review.queue_filter import QueueFilter
from tests.review.drills.world import (
    EVERY,
    acknowledge,
    have_decided,
    make_drill,
    make_known,
    make_programme,
    make_ready,
)
from tests.review.helpers import Desk, make_proposal
from triage.models import Waiting

pytestmark = pytest.mark.django_db
EVERYTHING = QueueFilter()


@pytest.fixture
def just_decided(desk: Desk) -> Waiting:
    """What waited and was decided a moment ago."""
    row = Waiting.objects.get(proposal=make_proposal(desk))
    Waiting.objects.filter(pk=row.pk).delete()
    return row


def given(person: User, after: Waiting, chosen: QueueFilter = EVERYTHING) -> Drill | None:
    return give(person, after, chosen, catalogue())


def test_a_drill_comes_after_enough_decisions(
    desk: Desk, maya: User, just_decided: Waiting, always_drawn: None
) -> None:
    proposal = make_known(desk)
    make_ready(desk, maya)

    drill = given(maya, just_decided)

    assert drill is not None
    assert (drill.proposal, drill.person) == (proposal, maya)
    assert drill.is_right == (drill.advice == drill.truth)


def test_between_two_drills_lie_as_many_decisions_as_the_programme_says(
    desk: Desk, maya: User, just_decided: Waiting, always_drawn: None
) -> None:
    for _ in range(3):
        make_known(desk)
    acknowledge(make_programme(desk), maya)
    have_decided(desk, maya, EVERY - 1)
    assert given(maya, just_decided) is None
    # The one that is open now would be the last of them.
    assert is_coming(maya, just_decided, EVERYTHING)

    have_decided(desk, maya, 1)
    assert given(maya, just_decided) is not None
    assert not is_coming(maya, just_decided, EVERYTHING)
    assert given(maya, just_decided) is None

    Drill.objects.update(shown_at=timezone.now() - timedelta(minutes=45))
    assert given(maya, just_decided) is not None


def test_nobody_gets_more_in_a_week_than_the_programme_says(
    desk: Desk, maya: User, just_decided: Waiting, always_drawn: None
) -> None:
    make_ready(desk, maya, a_week=2)
    for days in (1, 6):
        shown = timezone.now() - timedelta(days=days)
        make_drill(desk, maya, make_known(desk), "network.vpn", shown_at=shown)
    make_known(desk)
    assert given(maya, just_decided) is None

    Drill.objects.order_by("shown_at")[:1].get().delete()
    assert given(maya, just_decided) is not None


@pytest.mark.parametrize("state", ["off", "unread", "read before the change", "resting", "none"])
def test_who_does_not_know_or_rests_gets_none(
    desk: Desk, maya: User, just_decided: Waiting, always_drawn: None, state: str
) -> None:
    make_known(desk)
    row = make_ready(desk, maya)
    match state:
        case "off":
            row.is_on = False
            row.save()
        case "unread":
            DrillAcknowledgement.objects.all().delete()
        case "read before the change":
            row.disclosed_at = timezone.now()
            row.save()
        case "resting":
            programme.rest(maya)
        case "none":
            row.delete()

    assert not is_coming(maya, just_decided, EVERYTHING)
    assert given(maya, just_decided) is None


def test_a_rest_ends_with_its_day(
    desk: Desk, maya: User, just_decided: Waiting, always_drawn: None
) -> None:
    make_known(desk)
    make_ready(desk, maya)
    yesterday = timezone.localdate() - timedelta(days=1)
    DrillAcknowledgement.objects.update(resting_on=yesterday)

    assert given(maya, just_decided) is not None


@pytest.mark.parametrize("is_held", [False, True])
def test_none_comes_while_a_ticket_waits_for_too_long(
    desk: Desk, maya: User, just_decided: Waiting, always_drawn: None, is_held: bool
) -> None:
    make_known(desk)
    make_ready(desk, maya)
    late = make_proposal(desk)
    moment = timezone.now() - timedelta(minutes=1)
    Waiting.objects.filter(proposal=late).update(look_by=moment, is_held=is_held)
    assert given(maya, just_decided) is None

    Waiting.objects.filter(proposal=late).update(look_by=moment + timedelta(hours=1))
    assert given(maya, just_decided) is not None


def test_none_comes_while_the_person_has_another_ticket_open(
    desk: Desk, maya: User, just_decided: Waiting, always_drawn: None
) -> None:
    make_known(desk)
    make_ready(desk, maya)
    now = timezone.now()
    lease = Lease.objects.create(
        ticket=make_proposal(desk).ticket,
        holder=maya,
        window=uuid4(),
        taken_at=now,
        until=now + timedelta(seconds=45),
    )
    assert given(maya, just_decided) is None

    lease.delete()
    assert given(maya, just_decided) is not None


@pytest.mark.parametrize(
    ("chosen", "comes"),
    [
        (QueueFilter(everything="1"), True),
        (QueueFilter(source=("norvik",)), True),
        (QueueFilter(category=("network", "access")), True),
        (QueueFilter(category=("hardware",)), False),
        (QueueFilter(priority=("high",)), False),
        (QueueFilter(q="printer"), False),
        (QueueFilter(held="1"), False),
    ],
)
def test_none_stands_out_from_what_the_list_is_narrowed_to(
    desk: Desk,
    maya: User,
    just_decided: Waiting,
    always_drawn: None,
    chosen: QueueFilter,
    comes: bool,
) -> None:
    make_known(desk)
    make_ready(desk, maya)

    assert (given(maya, just_decided, chosen) is not None) == comes


def test_no_material_no_drill(
    desk: Desk, maya: User, just_decided: Waiting, always_drawn: None
) -> None:
    make_ready(desk, maya)

    assert given(maya, just_decided) is None


def test_the_draw_hangs_on_the_secret_the_person_and_the_ticket(settings: Settings) -> None:
    people = [User(pk=number) for number in (1, 2)]
    rows = [Waiting(proposal_id=number) for number in range(2000)]

    def drawn(person: User) -> list[bool]:
        return [turns._is_drawn(person, row) for row in rows]

    settings.COUNTERSIGN_BLIND_SALT = "one"
    first, other = (drawn(person) for person in people)
    again = drawn(people[0])
    settings.COUNTERSIGN_BLIND_SALT = "two"
    resalted = drawn(people[0])

    assert first == again
    # About one in ten; of 2,000 so drawn, 200 plus or minus four standard deviations of 13.4.
    for draws in (first, other, resalted):
        assert 146 < sum(draws) < 254
    # Independent: of both about one in a hundred, 20 plus or minus 18.
    for draws in (other, resalted):
        assert 2 < sum(a and b for a, b in zip(first, draws, strict=True)) < 38


def test_a_ticket_that_was_not_drawn_costs_no_query(
    desk: Desk,
    maya: User,
    just_decided: Waiting,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: object,
) -> None:
    monkeypatch.setattr(turns, "CHANCE", 0.0)
    make_ready(desk, maya)

    with django_assert_num_queries(0):  # type: ignore[operator]
        assert not is_coming(maya, just_decided, EVERYTHING)


def test_wrong_ones_come_at_the_share_that_was_set(
    desk: Desk, maya: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make_programme(desk, wrong_percent=10)
    rows = [Waiting(proposal_id=number) for number in range(2000)]

    wrong = sum(turns._is_wrong_one(row, maya, one) for one in rows)

    assert 146 < wrong < 254
    assert Decision.objects.count() == 0
