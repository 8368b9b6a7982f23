"""Checks with a stated probability: the newest of a window, and what was counted before there was
a table for them.
"""

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection

from review.metrics import reports_autonomy, scored_counts
from review.metrics.groups import Named
from review.models import ScoredCount
from tests.review.metrics.helpers import LONG_AGO, Desk, check, make_desk, make_scope
from triage.models import Proposal

pytestmark = pytest.mark.django_db
LIKE = ("day", "source", "choice", "version", "propensity", "probability", "is_right", "n")


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def scored(
    desk: Desk, probability: float | None, *, days_later: int = 0, truth: str = "vpn"
) -> Proposal:
    proposal = check(desk, truth=truth, propensity=0.25)
    proposal.values.filter(field=desk.category).update(probability=probability)
    at = LONG_AGO + timedelta(days=days_later)
    Proposal.objects.filter(pk=proposal.pk).update(created_at=at)
    return proposal


def test_like_checks_are_one_row_and_count_one_by_one(desk: Desk) -> None:
    for truth in ("vpn", "vpn", "wifi"):
        scored(desk, 0.9, truth=truth)
    scored(desk, 0.6)
    scored(desk, None)

    found = scored_counts.newest(make_scope())

    assert sorted(ScoredCount.objects.values_list("probability", "is_right", "n")) == [
        (0.6, True, 1),
        (0.9, False, 1),
        (0.9, True, 2),
    ]
    group = Named(str(desk.choices["vpn"].pk), "Network › VPN")
    assert found.is_all
    assert list(found.groups) == [group]
    for some in (found.checks, found.groups[group]):
        checks = zip(
            some.probability.tolist(), some.is_right.tolist(), some.weight.tolist(), strict=True
        )
        assert sorted(checks) == [(0.6, True, 4), (0.9, False, 4), (0.9, True, 4), (0.9, True, 4)]


def test_of_very_many_the_newest_whole_days_count_and_no_list_claims_to_be_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scored_counts, "MOST_ROWS", 3)
    for day, probability in ((0, 0.5), (0, 0.6), (1, 0.7), (1, 0.8), (1, 0.8)):
        scored(desk, probability, days_later=day)

    scope = make_scope()

    found = scored_counts.newest(scope)
    figure = reports_autonomy.calibration(scope).totals[0].figures["n"]
    assert sorted(found.checks.probability.tolist()) == [0.7, 0.8, 0.8]
    assert not found.is_all
    assert figure.n == 3
    assert figure.bucket is None


@pytest.mark.parametrize("later", [0, 1])
def test_a_single_day_of_more_than_can_be_told_is_told_as_far_as_can_be(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, later: int
) -> None:
    monkeypatch.setattr(scored_counts, "MOST_ROWS", 5)
    for tenth in range(1, 9):
        scored(desk, tenth / 10)
    scored(desk, 0.9, days_later=later)

    found = scored_counts.newest(make_scope())

    assert found.checks.n == 5
    assert not found.is_all
    assert later == 0 or 0.9 in found.checks.probability


def test_without_a_check_there_is_none(desk: Desk) -> None:
    found = scored_counts.newest(make_scope())

    assert (found.checks.n, found.groups, found.is_all) == (0, {}, True)


def test_what_was_checked_before_is_counted_by_the_migration_as_it_would_be_anew(
    desk: Desk,
) -> None:
    for truth in ("vpn", "vpn", "wifi"):
        scored(desk, 0.9, truth=truth)
    scored(desk, 0.6)
    scored(desk, None)
    scored(desk, 0.8, days_later=3)
    make_scope()
    counted = sorted(ScoredCount.objects.values_list(*LIKE))
    ScoredCount.objects.all().delete()

    with connection.schema_editor() as editor:
        import_module("review.migrations.0020_scored_count").count(None, editor)

    assert len(counted) == 4
    assert sorted(ScoredCount.objects.values_list(*LIKE)) == counted
