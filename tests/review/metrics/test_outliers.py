"""Groups against the limits of chance: what is named, what is drawn, and what stands out."""

import pytest

from review.metrics import charts, figures
from review.metrics.definitions_workflows import PING_PONG, VERIFIED
from review.metrics.figures import Bucket, Row
from review.metrics.meaning import Definition
from review.metrics.outliers import Watched, outliers
from review.metrics.report import Report
from tests.review.metrics.helpers import make_scope

pytestmark = pytest.mark.django_db
LOW_IS_BAD = Watched(is_worst_low=True)


def report(definition: Definition = PING_PONG, **groups: tuple[int, int]) -> Report:
    bucket = Bucket(definition.key)

    def row(label: str, k: int, n: int) -> Row:
        return Row((label,), {"rate": figures.rate(k, n, definition, bucket)}, label)

    k, n = (sum(column) for column in zip(*groups.values(), strict=True))
    rows = tuple(row(label, *pair) for label, pair in groups.items())
    return Report(definition, make_scope(), (), (), rows, (row("all", k, n),), n)


def test_only_what_chance_does_not_explain_stands_out_the_costliest_first() -> None:
    found = report(vpn=(10, 200), wifi=(12, 200), laptop=(30, 60), phone=(80, 200), few=(9, 10))

    names = [one.row.labels[0] for one in outliers(found, Watched())]

    # 14 more than its share of laptop, 37 more of phone.
    assert names == ["phone", "laptop"]


def test_where_low_is_bad_the_low_ones_stand_out() -> None:
    found = report(VERIFIED, vpn=(180, 200), wifi=(185, 200), laptop=(80, 200), phone=(199, 200))

    assert [one.row.labels[0] for one in outliers(found, LOW_IS_BAD)] == ["laptop"]


@pytest.mark.parametrize(
    "groups",
    [
        {"vpn": (1, 200), "laptop": (100, 200)},
        {"vpn": (0, 200), "wifi": (0, 200), "laptop": (0, 200)},
        {"vpn": (1, 5), "wifi": (1, 5), "laptop": (5, 5)},
    ],
)
def test_without_enough_groups_cases_or_differences_nothing_does(
    groups: dict[str, tuple[int, int]],
) -> None:
    found = report(PING_PONG, **groups)
    chart = charts.limits(found, Watched(), "ping-pong")

    assert outliers(found, Watched()) == []
    assert chart is None or chart["kind"] == "intervals"


def test_the_chart_has_points_bands_and_the_outliers_in_words() -> None:
    found = report(vpn=(10, 200), wifi=(12, 200), laptop=(30, 60), phone=(0, 40), few=(9, 10))

    chart = charts.limits(found, Watched(), "ping-pong")

    assert chart is not None
    points = {point["label"]: point for point in chart["series"][0]["points"]}
    assert {name: (point["n"], point["tone"]) for name, point in points.items()} == {
        "vpn": (200, "good"),
        "wifi": (200, "good"),
        "laptop": (60, "bad"),
        "phone": (40, "good"),
    }
    assert [name for name, point in points.items() if point["is_far"]] == ["vpn", "laptop"]
    assert chart["total"] == pytest.approx(61 / 510)
    sizes = [band["n"] for band in chart["bands"]]
    assert sizes == sorted(set(sizes))
    assert sizes[0] < 40 < 200 < sizes[-1]
    assert all(b["far_low"] <= b["low"] <= b["high"] <= b["far_high"] for b in chart["bands"])
    said = [one.replace("\N{NO-BREAK SPACE}", " ") for one in chart["said"]]
    assert said == [
        "Of groups that differ from all together (12 %) by chance alone, the bands hold 95 % and "
        "99.8 %.",
        "Higher than chance explains: laptop 50 %.",
        "Lower than chance explains: vpn 5 %.",
    ]
