"""Figures week by week, and under each meaning that was in force."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from review import recalled
from review.metrics import charts, drill, page, versions
from review.metrics.definitions import DEFINITIONS
from review.metrics.definitions_checks import UNAIDED
from review.metrics.definitions_workflows import OUTCOMES, VERIFIED
from review.metrics.registry import ENTRIES
from review.metrics.trends import MOST_WEEKS, TRENDS, Trend, trend
from review.metrics.window import Scope
from review.models import MetricDefinition
from tests.review.helpers import make_user
from tests.review.metrics.helpers import (
    NOW,
    accept,
    live,
    make_desk,
    make_event,
    make_proposal,
    make_scope,
    make_ticket,
    override,
)
from tests.review.metrics.test_reports import make_everything
from triage.models import TicketEvent

pytestmark = pytest.mark.django_db
MONDAYS = (date(2026, 2, 23), date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16))


def at(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def of(scope: Scope, key: str) -> Trend:
    return trend(scope, key, TRENDS[key])


def agreed(key: str, since: datetime, **parameters: int) -> MetricDefinition:
    """The next version of a metric's meaning, in force since then."""
    one, lead = DEFINITIONS[key], make_user(f"lead{MetricDefinition.objects.count()}")
    MetricDefinition.objects.filter(key=key, retired_at=None).update(retired_at=since)
    recalled.forget(versions.RECALLED)
    return MetricDefinition.objects.create(
        key=key,
        version=2 + MetricDefinition.objects.filter(key=key).count(),
        formula=str(one.formula),
        purpose=str(one.purpose),
        caveat=str(one.caveat),
        audience=one.audience,
        min_n=one.min_n,
        parameters=parameters,
        proposer=lead,
        proposed_at=since,
        activated_at=since,
        activated_by=lead,
        unratified_because="In a test.",
    )


def in_force(**over: Any) -> Scope:
    meanings = versions.in_force(NOW)
    days = meanings["reopened"].value("outcome_days")
    return make_scope(meanings=meanings, outcome_days=days, **over)


def test_weeks_begin_on_mondays_and_are_cut_where_the_window_ends() -> None:
    desk = make_desk()
    for day in (1, 2, 8, 9, 31):
        accept(make_proposal(desk, at=at(day)))

    (line,) = of(make_scope(), "acceptance").lines

    weeks = [(p.scope.first.day, p.scope.last.day, p.figure.k) for p in line.points]
    assert weeks == [(1, 1, 1), (2, 8, 2), (9, 15, 1), (30, 31, 1)]


def test_the_weeks_of_a_report_add_up_to_it() -> None:
    desk = make_desk()
    for day in range(1, 29):
        proposal = make_proposal(desk, at=at(day))
        accept(proposal) if day % 3 else override(proposal, category=desk.choices["wifi"])
    scope = make_scope()

    (line,) = of(scope, "acceptance").lines

    total = ENTRIES["acceptance"].report(scope).totals[0].figures["rate"]
    pairs = [(p.figure.k or 0, p.figure.n) for p in line.points]
    assert (sum(k for k, _ in pairs), sum(n for _, n in pairs)) == (total.k, total.n)


def test_behind_every_point_stand_exactly_the_cases_it_counts() -> None:
    make_everything()
    scope = make_scope()

    for key, trended in TRENDS.items():
        if DEFINITIONS[key].is_about_people:
            # Nobody is told of the few people here; test_reports_of_work.py has more.
            continue
        found = trend(scope, key, trended)
        points = [point for line in found.lines for point in line.points]
        assert points, key
        for point in points:
            assert point.figure.bucket is not None
            counted = point.figure.n if point.figure.k is None else point.figure.k
            assert len(drill.listed(point.scope, point.figure.bucket)) == counted, key


def test_a_changed_parameter_makes_two_lines_over_the_whole_window() -> None:
    desk = make_desk()
    for day in (3, 4, 10):
        decision = accept(make_proposal(desk, at=at(day)))
        back = decision.decided_at + timedelta(days=9)
        make_event(decision.proposal.ticket, TicketEvent.Kind.REOPENED, back)
    agreed("reopened", at(11, 15), outcome_days=14)

    found = of(in_force(), "reopened")

    by_ai = [line for line in found.lines if line.tone == "good"]
    assert [(line.definition.version, line.is_in_force) for line in by_ai] == [
        (1, False),
        (2, True),
    ]
    told = [[(p.figure.k, p.figure.n) for p in line.points] for line in by_ai]
    # Seen within a week nothing came back; of a fortnight all did.
    assert told == [[(0, 2), (0, 1)], [(2, 2), (1, 1)]]
    assert found.changes == ((date(2026, 3, 11), 2),)


def test_the_list_behind_an_old_version_is_counted_by_that_version() -> None:
    desk = make_desk()
    decision = accept(make_proposal(desk, at=at(4)))
    back = decision.decided_at + timedelta(days=9)
    make_event(decision.proposal.ticket, TicketEvent.Kind.REOPENED, back)
    agreed("reopened", at(11), outcome_days=14)
    agreed("reopened", at(12), outcome_days=8)
    scope = in_force()

    counted = {}
    for line in of(scope, "reopened").lines:
        for point in line.points:
            query = parse_qs(urlsplit(page.link(point.scope, point.figure.bucket)).query)
            form = drill.BucketForm({name: values[0] for name, values in query.items()})
            assert form.is_valid(), form.errors
            # As the page of the list has it: with what is in force now.
            listed = drill.listed(scope, form.bucket())
            assert len(listed) == point.figure.k
            counted[line.definition.version] = (point.figure.k, form.bucket().version)

    assert counted == {1: (0, "1"), 2: (1, "2"), 3: (0, "")}


def test_a_change_of_words_or_limits_alone_is_marked_and_makes_no_second_line() -> None:
    desk = make_desk()
    accept(make_proposal(desk, at=at(4)))
    agreed("reopened", at(11), outcome_days=7)
    agreed("acceptance", at(12))

    assert {line.definition.version for line in of(in_force(), "reopened").lines} == {2}
    assert of(in_force(), "reopened").changes == ((date(2026, 3, 11), 2),)
    assert of(in_force(), "acceptance").changes == ((date(2026, 3, 12), 2),)


def test_a_version_that_was_over_before_the_window_has_no_line() -> None:
    accept(make_proposal(make_desk(), at=at(20)))
    agreed("reopened", at(5), outcome_days=3)
    agreed("reopened", at(9), outcome_days=14)

    found = of(in_force(first=date(2026, 3, 10)), "reopened")

    assert {line.definition.version for line in found.lines} == {3}
    assert found.changes == ()


def test_a_long_window_ends_with_its_newest_weeks() -> None:
    desk = make_desk()
    make_proposal(desk, at=at(2) - timedelta(weeks=MOST_WEEKS + 1))
    make_proposal(desk, at=at(2))

    (line,) = of(make_scope(first=date(2020, 1, 1)), "untouched").lines

    assert [point.scope.first for point in line.points] == [date(2026, 3, 2)]


def test_the_chart_has_a_place_for_each_week_and_a_gap_where_there_are_too_few() -> None:
    desk = make_desk()
    for day, n in ((2, 10), (9, 3), (16, 12)):
        for _ in range(n):
            accept(make_proposal(desk, at=at(day)))
    agreed("acceptance", at(12))

    found = charts.trend(of(in_force(), "acceptance"))

    assert found is not None
    assert (found["labels"], found["at"]) == (["2 Mar", "9 Mar", "16 Mar"], [0, 7, 14])
    points = found["series"][0]["points"]
    assert [point and (point["value"], point["n"]) for point in points] == [
        (1.0, 10),
        None,
        (1.0, 12),
    ]
    assert points[0]["low"] == pytest.approx(0.7225, abs=5e-5)
    assert found["marks"] == [{"at": 10, "text": "version 2"}]


def test_one_week_makes_no_trend() -> None:
    desk = make_desk()
    for _ in range(10):
        accept(make_proposal(desk, at=at(3)))

    assert charts.trend(of(make_scope(), "acceptance")) is None


def test_shares_of_time_and_medians_have_trends_as_well() -> None:
    desk = make_desk()
    for day in (3, 12):
        for minutes in range(1, 31):
            ticket = make_ticket(desk, opened_at=at(day))
            told = (minutes, "started"), (2 * minutes, "resolved"), (3 * minutes, "reopened")
            live(ticket, *told, (4 * minutes, "resolved"))
            accept(make_proposal(desk, ticket=ticket, at=at(day)))

    rework = of(make_scope(), "rework-share").lines[0].points
    times = next(line for line in of(make_scope(), "time-to-resolve").lines if line.points)

    # A minute after the first resolution for each two before it.
    assert [point.figure.value for point in rework] == pytest.approx([1 / 3, 1 / 3])
    assert [point.figure.value for point in times.points] == pytest.approx([1800, 1800], rel=0.09)


def test_each_trend_takes_a_query_and_that_serves_all_versions(
    django_assert_num_queries: Any,
) -> None:
    make_everything()
    scope = make_scope()
    versions.in_force(NOW)

    for key in TRENDS:
        scope.memory.clear()
        # One says which tables end with the window, and one the names of reasons, each once a page;
        # one more how many people stand behind each week.
        once = 1 + (key == UNAIDED.key)
        with django_assert_num_queries(1 + once + DEFINITIONS[key].is_about_people):
            assert of(scope, key).lines


def test_two_trends_of_what_came_back_share_their_query(django_assert_num_queries: Any) -> None:
    make_everything()
    scope = make_scope()
    versions.in_force(NOW)

    # And the one that says which tables end with the window.
    with django_assert_num_queries(2):
        assert all(of(scope, key).lines for key in (VERIFIED.key, OUTCOMES.key))
