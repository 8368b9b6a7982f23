"""Figures in words and in pictures."""

import re

import pytest

from review.metrics import charts, figures, wording
from review.metrics.cohorts import COUNTED
from review.metrics.definitions import ACCEPTANCE, REOPENED, UNTOUCHED
from review.metrics.estimators import Interval
from review.metrics.figures import Bucket, Row
from review.metrics.flow import BAND_HEIGHT, ENDS, flow
from review.metrics.report import Report
from tests.review.metrics.helpers import make_scope


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0, "0 %"),
        (0.004, "<1 %"),
        (0.005, "<1 %"),
        (0.0051, "1 %"),
        (0.5949, "59 %"),
        (0.9951, ">99 %"),
        (1, "100 %"),
    ],
)
def test_a_rate_reads_as_none_or_all_only_if_it_is(rate: float, text: str) -> None:
    assert wording.percent(rate).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (90, "2 min"),
        (3540, "59 min"),
        (3599, "1 h"),
        (3660, "1 h 1 min"),
        (86_340, "23 h 59 min"),
        (86_400, "1 d"),
        (187_200, "2 d 4 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert wording.duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == text


def test_ranges_and_differences_bear_their_signs() -> None:
    said = [
        wording.points(-0.104),
        wording.points(0.02),
        wording.points(-0.001),
        wording.points_range(Interval(-0.05, 0.2)),
        wording.percent_range(Interval(0.031, 0.186)).replace("\N{NO-BREAK SPACE}", " "),
    ]

    assert said == ["−10", "+2", "±0", "−5 to +20 points", "3–19 %"]


def outcome_row(label: str = "all", **numbers: int) -> Row:
    bucket = Bucket(UNTOUCHED.key)
    counted = {str(outcome): numbers.get(outcome, 0) for outcome in COUNTED}
    every = {"n": sum(counted.values()), **counted}
    return Row((label,), {name: figures.count(n, bucket) for name, n in every.items()})


def reopened_row(**rates: tuple[int, int]) -> Row:
    bucket = Bucket(REOPENED.key)
    found = {name: rates.get(name, (0, 0)) for name in ("auto", "accepted", "overridden")}
    return Row(
        ("all",), {name: figures.rate(k, n, REOPENED, bucket) for name, (k, n) in found.items()}
    )


def edges(path: str) -> tuple[float, float]:
    """Heights of a ribbon at its start and its end."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
    top, top_end, bottom_end, bottom = numbers[1], numbers[7], numbers[8], numbers[14]
    return bottom - top, bottom_end - top_end


def test_the_bands_of_the_flow_are_as_high_as_their_counts() -> None:
    drawing = flow(
        outcome_row(auto=10, accepted=50, overridden=20, untouched=20),
        reopened_row(auto=(2, 10), accepted=(5, 30), overridden=(0, 20)),
    )

    heights = {node.key: node.height for node in drawing.outcomes}
    ends = {node.key: node.n for node in drawing.ends}
    first_stage = drawing.bands[: len(heights)]
    assert heights == pytest.approx(
        {key: n / 100 * BAND_HEIGHT for key, n in [("auto", 10), ("accepted", 50)]}
        | {key: n / 100 * BAND_HEIGHT for key, n in [("overridden", 20), ("untouched", 20)]}
    )
    for band in first_stage:
        assert edges(band.path) == pytest.approx((heights[band.key], heights[band.key]), abs=0.11)
    assert ends == {"stayed": 53, "back": 7, "early": 20}
    assert list(ends) == list(ENDS)
    assert sum(edges(b.path)[1] for b in drawing.bands if b.key == "back") == pytest.approx(
        0.07 * BAND_HEIGHT, abs=0.25
    )


def test_no_label_of_the_flow_covers_another_however_thin_the_bands() -> None:
    drawing = flow(
        outcome_row(accepted=10_000, overridden=1, escalated=1, sent_back=1), reopened_row()
    )

    heights = sorted(node.text_y for node in drawing.outcomes)
    assert min(b - a for a, b in zip(heights, heights[1:], strict=False)) >= 30
    assert max(heights) < drawing.height


def test_a_flow_with_one_outcome_has_one_band() -> None:
    drawing = flow(outcome_row(untouched=3), reopened_row())

    assert [band.key for band in drawing.bands] == ["untouched"]
    assert drawing.ends == []


@pytest.mark.django_db
def test_the_chart_of_intervals_has_the_worst_first_and_leaves_out_what_has_no_rate() -> None:
    bucket = Bucket(ACCEPTANCE.key)

    def row(label: str, k: int, n: int) -> Row:
        return Row((label,), {"rate": figures.rate(k, n, ACCEPTANCE, bucket)})

    rows = (row("good", 19, 20), row("bad", 5, 20), row("few", 1, 2))
    report = Report(ACCEPTANCE, make_scope(), (), (), rows, (row("all", 25, 42),), 42)

    chart = charts.intervals(report, {"rate": ("acceptance", "good")}, is_worst_low=True)

    assert chart is not None
    assert chart["labels"] == ["all", "bad", "good"]
    assert [point["value"] for point in chart["series"][0]["points"]] == [25 / 42, 0.25, 0.95]
    assert chart["series"][0]["points"][1]["low"] == pytest.approx(0.112, abs=5e-4)


@pytest.mark.django_db
def test_the_chart_of_shares_adds_up_to_one_in_every_group() -> None:
    rows = (outcome_row("vpn", accepted=3, escalated=1), outcome_row("wifi", untouched=7))
    report = Report(UNTOUCHED, make_scope(), (), (), rows, (), 11)

    chart = charts.shares(report)

    assert chart is not None
    for index in range(2):
        assert sum(series["values"][index] for series in chart["series"]) == pytest.approx(1)
    assert charts.shares(Report(UNTOUCHED, make_scope(), (), (), (), (), 0)) is None
