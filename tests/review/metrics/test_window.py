"""The window in a URL, in the time zone of whoever asks."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from review.metrics import counts, rollups
from review.metrics.window import Group, Scope, ScopeForm, local_now
from tests.review.metrics.helpers import make_desk, make_proposal

pytestmark = pytest.mark.django_db
BERLIN = "Europe/Berlin"


def scope_of(**query: str) -> Scope:
    form = ScopeForm(query)
    assert form.is_valid(), form.errors
    return form.scope(local_now())


@pytest.mark.parametrize(("days", "first"), [("7", 25), ("30", 2), ("", 2)])
@time_machine.travel(datetime(2026, 3, 31, 12, tzinfo=UTC), tick=False)
def test_a_number_of_days_ends_with_today(days: str, first: int) -> None:
    scope = scope_of(days=days)

    assert (scope.first, scope.last) == (date(2026, 3, first), date(2026, 3, 31))
    assert scope.end - scope.start == timedelta(days=int(days or 30))


@time_machine.travel(datetime(2026, 3, 31, 12, tzinfo=UTC), tick=False)
def test_dates_go_before_a_number_of_days_and_one_alone_is_enough() -> None:
    both = scope_of(**{"from": "2026-02-01", "to": "2026-02-10", "days": "7"})
    only_first = scope_of(**{"from": "2026-02-01"})
    only_last = scope_of(to="2026-03-02")

    assert (both.first, both.last, both.days) == (date(2026, 2, 1), date(2026, 2, 10), None)
    assert (only_first.first, only_first.last) == (date(2026, 2, 1), date(2026, 3, 31))
    assert (only_last.first, only_last.last) == (date(2026, 2, 1), date(2026, 3, 2))


def test_a_day_is_a_day_of_the_services_clock_for_everybody(settings: Settings) -> None:
    desk = make_desk()
    # 23:30 UTC on the 31st is half past one on 1 April in Berlin.
    make_proposal(desk, at=datetime(2026, 3, 31, 23, 30, tzinfo=UTC))
    april = {"from": "2026-04-01", "to": "2026-04-01"}

    found = []
    for zone in (BERLIN, "UTC"):
        settings.TIME_ZONE = zone
        rollups.recount()
        with timezone.override("Pacific/Auckland"):
            scope = scope_of(**april)
        found.append((scope.time_zone, len(counts.outcomes(scope))))

    assert found == [(BERLIN, 1), ("UTC", 0)]


def test_the_day_on_which_the_clocks_change_has_23_hours(settings: Settings) -> None:
    settings.TIME_ZONE = BERLIN
    scope = scope_of(**{"from": "2026-03-29", "to": "2026-03-29"})

    assert scope.start == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert scope.end == datetime(2026, 3, 29, 22, tzinfo=UTC)


@time_machine.travel(datetime(2026, 3, 31, 23, tzinfo=UTC), tick=False)
def test_today_is_the_day_where_the_clock_stands(settings: Settings) -> None:
    settings.TIME_ZONE = BERLIN

    assert scope_of(days="7").last == date(2026, 4, 1)


def test_the_query_of_a_scope_leads_back_to_it() -> None:
    desk = make_desk()
    scope = scope_of(source=desk.source.slug, group="model", days="7")

    again = scope_of(**dict(parse_qsl(scope.query(metric="acceptance"))))

    assert (again.first, again.last, again.source, again.group) == (
        scope.first,
        scope.last,
        desk.source,
        Group.MODEL,
    )


def test_the_zone_of_the_clock_is_kept_for_the_days_around_it() -> None:
    scope = scope_of(days="7")

    assert scope.start.tzinfo == scope.now.tzinfo
    assert scope.start.astimezone(ZoneInfo("UTC")) <= scope.now


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"days": "31"}, "days"),
        ({"from": "yesterday"}, "from"),
        ({"from": "1999-12-31"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ({"source": "nowhere"}, "source"),
        ({"source": "nor\x00vik"}, "source"),
        ({"group": "reviewer"}, "group"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(query: dict[str, str], field: str) -> None:
    form = ScopeForm(query)

    assert not form.is_valid()
    assert list(form.errors) == [field]
