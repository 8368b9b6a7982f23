"""Everybody meets about the same share of novel tickets over a day."""

from random import Random
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from review import decisions, fairness
from review.catalogue import catalogue
from review.fairness import Candidate, in_fair_order, novel_shares, pick, shares
from review.models import Lease
from review.queue import QueueFilter
from review.upcoming import claim_next
from tests.review.helpers import make_desk, make_model, make_proposal, make_technician
from triage.models import Prediction, Waiting

PEOPLE = 6
NOVEL_SHARE = 0.12
SPEEDS = (1.0, 1.0, 0.8, 1.5, 0.5, 1.2)


def candidate(ticket: int, *, novel: bool = False, held: bool = False) -> Candidate:
    return Candidate(ticket, novel, held)


LINE = [candidate(1), candidate(2, novel=True), candidate(3)]


def test_who_had_less_than_the_team_gets_the_first_novel_ticket() -> None:
    assert pick(LINE, 0.0, 0.1) == LINE[1]


def test_who_had_more_gets_the_first_that_is_not() -> None:
    assert pick(LINE[1:], 0.2, 0.1) == LINE[2]


def test_with_an_equal_share_the_first_in_line_is_next() -> None:
    assert pick(LINE, 0.1, 0.1) == LINE[0]
    assert pick(LINE[1:], 0.0, 0.0) == LINE[1]


def test_what_a_rule_holds_is_never_passed_over() -> None:
    assert pick([candidate(9, held=True), *LINE], 0.0, 0.1) == candidate(9, held=True)


def test_nothing_beyond_the_first_ten_is_looked_at() -> None:
    line = [candidate(number) for number in range(10)] + [candidate(10, novel=True)]

    assert pick(line, 0.0, 0.1) == line[0]
    assert pick([], 0.0, 0.1) is None


def test_the_first_ticket_of_a_day_is_no_evidence() -> None:
    assert shares({}, 1).mine == shares({}, 1).team == 0.0
    counts = {1: (40, 8), 2: (1, 1)}

    assert shares(counts, 3).mine == pytest.approx(9 / 41)
    assert shares(counts, 2).mine == pytest.approx((1 + 5 * 9 / 41) / 6)


def a_day(seed: int, *, fair: bool) -> list[float]:
    """Shares of novel tickets after 1,200 decisions of people who work at different speeds."""
    random = Random(seed)
    line: list[Candidate] = []
    counts = dict.fromkeys(range(PEOPLE), (0, 0))
    for number in range(1_200):
        while len(line) < 30:
            line.append(candidate(number * 100 + len(line), novel=random.random() < NOVEL_SHARE))
        person = random.choices(range(PEOPLE), SPEEDS)[0]
        known = shares(counts, person)
        given = pick(line, known.mine, known.team) if fair else line[0]
        assert given is not None
        line.remove(given)
        decided, novel = counts[person]
        counts[person] = decided + 1, novel + given.is_novel
    return [novel / decided for decided, novel in counts.values()]


@pytest.mark.parametrize("seed", range(20))
def test_over_a_day_shares_differ_by_less_than_a_fiftieth(seed: int) -> None:
    fair = a_day(seed, fair=True)

    assert max(fair) - min(fair) < 0.02


def test_without_it_they_would_differ_by_several_times_as_much() -> None:
    def spread(*, fair: bool) -> float:
        days = [a_day(seed, fair=fair) for seed in range(20)]
        return sum(max(day) - min(day) for day in days) / len(days)

    assert spread(fair=False) > 5 * spread(fair=True)


@pytest.mark.django_db
def test_the_line_is_put_in_a_fair_order_by_what_was_decided() -> None:
    desk = make_desk()
    model = make_model(desk)
    ann, bob = make_technician("ann"), make_technician("bob")
    for person, strange in ((ann, True), (ann, False), (bob, False), (bob, False)):
        proposal = make_proposal(desk, model=model)
        if strange:
            Prediction.objects.filter(values__proposal=proposal).update(in_scope=0.01)
        decisions.decide(
            proposal=proposal, reviewer=person, choices={}, reasons={}, with_playbook=False
        )
    plain, novel, last = (make_proposal(desk) for _ in range(3))
    Waiting.objects.filter(pk=novel.pk).update(novelty=0.99)
    rows = list(Waiting.objects.order_by("look_by", "proposal"))

    with CaptureQueriesContext(connection) as asked:
        for_ann, for_bob = in_fair_order(rows, ann), in_fair_order(rows, bob)

    assert novel_shares(ann).mine > novel_shares(ann).team == 0.25 > novel_shares(bob).mine
    assert [row.pk for row in for_ann] == [plain.pk, novel.pk, last.pk]
    assert [row.pk for row in for_bob] == [novel.pk, plain.pk, last.pk]
    # Kept for a minute, whoever asks.
    assert len(asked) == 1


@pytest.mark.django_db
def test_the_next_ticket_is_a_novel_one_for_who_had_the_fewest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = make_desk()
    ann, bob = make_technician("ann"), make_technician("bob")
    make_proposal(desk)
    novel = make_proposal(desk)
    Waiting.objects.filter(pk=novel.pk).update(novelty=0.99)
    monkeypatch.setattr(fairness, "_counts", lambda: {ann.pk: (20, 0), bob.pk: (20, 6)})

    def next_for(person: User) -> int | None:
        claimed = claim_next(QueueFilter(), catalogue(), person=person, window=uuid4())
        Lease.objects.all().delete()
        return claimed

    assert next_for(ann) == novel.ticket_id
    assert next_for(bob) != novel.ticket_id
