"""How far two people agree, and what became of drawn checks, against hand-computed values."""

import numpy as np
import pytest

from review.metrics import truth_reports
from review.metrics.estimators import cohen_kappa, cohen_kappa_of_counts
from review.metrics.registry import ENTRIES
from review.metrics.sections import SECTIONS
from review.metrics.window import Group
from review.models import AgreementCount, DrawnCount, SecondLook
from tests.review.metrics.helpers import Desk, make_desk, make_proposal, make_scope
from tests.review.metrics.truth_world import draw_unopened, make_all_checks, make_check

# First choice, second choice, and how many tickets: 0.7 agree, and 0.5 would by chance.
PAIRS = [("vpn", "vpn", 40), ("wifi", "wifi", 30), ("vpn", "wifi", 10), ("wifi", "vpn", 20)]


def fill(desk: Desk, pairs: list[tuple[str, str, int]], main: str = "vpn") -> None:
    for first, second, times in pairs:
        for _ in range(times):
            make_check(desk, make_proposal(desk, main), {"category": first}, {"category": second})


def test_kappa_of_counts_is_kappa_of_the_tickets_that_were_counted() -> None:
    firsts = np.repeat([one for one, _, _ in PAIRS], [n for _, _, n in PAIRS])
    seconds = np.repeat([two for _, two, _ in PAIRS], [n for _, _, n in PAIRS])

    counted = cohen_kappa_of_counts(*zip(*PAIRS, strict=True))
    whole = cohen_kappa(firsts, seconds)

    assert counted is not None
    assert whole is not None
    assert counted.interval == pytest.approx(whole.interval)
    assert counted.value == whole.value
    assert counted.value == pytest.approx(0.4)
    assert counted.n_clusters == 100
    assert counted.interval is not None
    assert counted.interval.low < 0.4 < counted.interval.high


def test_the_order_of_the_pairs_plays_no_part_and_pairs_without_a_ticket_none() -> None:
    there = cohen_kappa_of_counts(*zip(*PAIRS, strict=True))
    back = cohen_kappa_of_counts(*zip(*reversed([*PAIRS, ("vpn", "id", 0)]), strict=True))

    assert there is not None
    assert back is not None
    assert back.value == pytest.approx(there.value)
    assert cohen_kappa_of_counts(["vpn"], ["vpn"], [0]) is None
    assert cohen_kappa_of_counts(["vpn"], ["vpn"], [9]) is None


def test_kappa_of_a_million_tickets_costs_what_their_pairs_do() -> None:
    many = cohen_kappa_of_counts([1, 2, 1, 2], [1, 2, 2, 1], [400_000, 300_000, 100_000, 200_000])

    assert many is not None
    assert many.value == pytest.approx(0.4)


@pytest.mark.parametrize("counts", [[-1, 2], [1]])
def test_counts_that_are_none_are_refused(counts: list[int]) -> None:
    with pytest.raises(ValueError, match="counts"):
        cohen_kappa_of_counts([1, 2], [1, 1], counts)


@pytest.mark.django_db
def test_agreement_is_given_by_field_with_its_interval_from_a_hundred_on() -> None:
    desk = make_desk()
    fill(desk, PAIRS[1:])
    few = truth_reports.reliability(make_scope()).totals[0].figures["kappa"]
    fill(desk, PAIRS[:1])

    report = truth_reports.reliability(make_scope())

    (total,) = report.totals
    assert (few.value, few.text) == (None, "too few (60)")
    assert total.labels == ("Category", "all")
    assert total.figures["n"].n == 100
    assert total.figures["agreed"].n == 70
    assert total.figures["kappa"].value == pytest.approx(0.4)
    assert total.figures["kappa"].text == "0.40"
    assert " to " in total.figures["kappa"].interval_text
    assert total.figures["waits"].n == 30
    # The unclear share is of what is settled.
    assert (total.figures["unclear"].k, total.figures["unclear"].n) == (0, 70)


@pytest.mark.django_db
def test_where_all_say_the_same_kappa_is_not_defined() -> None:
    desk = make_desk()
    fill(desk, [("vpn", "vpn", 100)])

    figure = truth_reports.reliability(make_scope()).totals[0].figures["kappa"]

    assert (figure.value, figure.n, figure.text) == (None, 100, "not defined")


@pytest.mark.django_db
def test_choices_of_two_helpdesks_are_never_taken_for_each_others() -> None:
    for slug in ("here", "there"):
        fill(make_desk(slug), [("vpn", "wifi", 2)])

    report = truth_reports.reliability(make_scope(group=Group.SOURCE))

    assert [total.labels for total in report.totals] == [
        ("Category (Here)", "all"),
        ("Category (There)", "all"),
    ]
    assert [row.labels[1] for row in report.rows] == ["Here", "There"]


@pytest.mark.django_db
def test_every_verdict_and_every_state_is_counted_once() -> None:
    desk = make_desk()
    make_all_checks(desk, [make_proposal(desk) for _ in range(10)])

    reliability = truth_reports.reliability(make_scope())
    checks = truth_reports.checks(make_scope())

    by_field = {total.labels[0]: total.figures for total in reliability.totals}
    category, team = by_field["Category"], by_field["Team"]
    told = {name: category[name].n for name in ("n", "agreed", "waits")}
    # Agreed 2, adjudicated 1, three different 1, two who could not tell 1, waiting 1.
    assert told == {"n": 6, "agreed": 2, "waits": 1}
    assert (category["unclear"].k, category["unclear"].n) == (2, 5)
    assert (team["n"].n, team["waits"].n) == (1, 1)
    states = {name: figure.n for name, figure in checks.totals[0].figures.items()}
    assert states == {
        "n": 10,
        # One that was looked at and left, one that nobody has opened.
        "nobody": 2,
        "alone": 1,
        "second": 1,
        "twice": 2,
        "third": 2,
        "thrice": 2,
        "share": 10,
    }
    assert checks.totals[0].figures["share"].k == 8


@pytest.mark.django_db
def test_what_waits_unopened_counts_as_nobody_looked_without_a_row_of_a_day() -> None:
    desk = make_desk()
    waiting = draw_unopened(desk, make_proposal(desk))

    before = truth_reports.checks(make_scope()).totals[0].figures["nobody"].n
    waiting.delete()
    after = truth_reports.checks(make_scope()).totals[0].figures["nobody"].n

    assert (before, after) == (1, 0)


@pytest.mark.django_db
def test_counts_of_days_follow_a_look_that_goes_without_an_answer() -> None:
    desk = make_desk()
    make_check(desk, make_proposal(desk), {"category": "vpn"}, waits=True)
    first = truth_reports.checks(make_scope()).totals[0].figures

    SecondLook.objects.all().delete()
    then = truth_reports.checks(make_scope()).totals[0].figures

    assert (first["second"].n, first["alone"].n) == (1, 0)
    assert (then["second"].n, then["alone"].n) == (0, 1)
    assert DrawnCount.objects.count() == 1
    assert not AgreementCount.objects.exists()


@pytest.mark.django_db
def test_the_charts_have_something_to_draw_once_there_is_enough() -> None:
    desk = make_desk()
    empty = [ENTRIES[shown.key] for shown in SECTIONS["truth"].shown]
    assert [entry.chart(entry.report(make_scope())) for entry in empty if entry.chart] == [
        None,
        None,
    ]
    fill(desk, PAIRS)

    kappa = truth_reports.agreement_chart(truth_reports.reliability(make_scope()))
    states = truth_reports.checks_chart(truth_reports.checks(make_scope()))

    assert kappa is not None
    assert (kappa["unit"], kappa["labels"]) == ("kappa", ["Category: Network › VPN"])
    assert states is not None
    assert states["kind"] == "shares"
    assert sum(series["values"][0] for series in states["series"]) == pytest.approx(1)
