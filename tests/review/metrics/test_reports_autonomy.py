"""Reports of acting alone, against worlds whose every ticket is known."""

import pytest

from review.metrics import reports_autonomy
from review.metrics.report import Report
from tests.review.metrics.helpers import (
    Desk,
    accept,
    check,
    make_desk,
    make_proposal,
    make_scope,
)
from tests.review.metrics.test_reports import certify
from triage.models import Proposal, ProposedValue

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def value(report: Report, name: str) -> float | None:
    return (report.totals or report.rows)[0].figures[name].value


def test_the_automatic_share_is_of_what_a_model_proposed(desk: Desk) -> None:
    for _ in range(6):
        make_proposal(desk, route=Proposal.Route.AUTO)
    for _ in range(18):
        accept(make_proposal(desk))
    make_proposal(desk, basis=ProposedValue.Basis.HELPDESK)
    make_proposal(desk, None)

    figure = reports_autonomy.auto_share(make_scope()).totals[0].figures["rate"]

    assert (figure.k, figure.n, figure.value) == (6, 24, 0.25)


def test_burn_is_the_error_as_a_multiple_of_what_the_certificate_allows(desk: Desk) -> None:
    certify(desk)
    for number in range(40):
        check(desk, truth="wifi" if number < 3 else "vpn")

    row = reports_autonomy.budget_burn(make_scope()).rows[0]

    assert row.labels == ("VPN",)
    assert [row.figures[name].n for name in ("n", "wrong")] == [40, 3]
    # 3 of 40 are 7.5 %, where 5 % are allowed.
    assert row.figures["burn"].value == pytest.approx(1.5)
    assert row.figures["burn"].interval is not None
    assert row.figures["burn"].interval.low < 1 < row.figures["burn"].interval.high
    # Nothing was checked in the last seven days of March.
    assert row.figures["lately"].value is None


def test_without_a_certificate_there_is_no_budget(desk: Desk) -> None:
    check(desk)

    assert reports_autonomy.budget_burn(make_scope()).rows == ()


def test_calibration_compares_stated_probabilities_with_what_was_right(desk: Desk) -> None:
    for stated, right, times in ((0.9, True, 80), (0.9, False, 20), (0.6, True, 60)):
        for _ in range(times):
            proposal = check(desk, truth="vpn" if right else "wifi")
            proposal.values.filter(field=desk.category).update(probability=stated)

    report = reports_autonomy.calibration(make_scope())

    # (80 * .01 + 20 * .81 + 60 * .16) / 160; bins: .9 right in .8 of 100, .6 right in all of 60.
    assert value(report, "brier") == pytest.approx((0.8 + 16.2 + 9.6) / 160)
    assert value(report, "error") == pytest.approx((100 * 0.1 + 60 * 0.4) / 160)
    assert report.size == 160
