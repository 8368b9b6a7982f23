"""Tables as CSV: nothing a spreadsheet would run, and every figure with its evidence."""

import csv
import io

import pytest

from review.metrics import export, reports
from review.metrics.estimators import wilson
from review.metrics.registry import ENTRIES
from tests.review.metrics.helpers import accept, make_desk, make_proposal, make_scope, override
from triage.models import Choice


@pytest.mark.django_db
def test_names_from_the_catalogue_cannot_become_formulas() -> None:
    desk = make_desk()
    Choice.objects.filter(key="network").update(name='=HYPERLINK("http://x.example","y")')
    Choice.objects.filter(key="password").update(name="@SUM(1),\n=2")
    accept(make_proposal(desk, "vpn"))
    override(make_proposal(desk, "password"), category=desk.choices["vpn"])

    for entry in ENTRIES.values():
        text = "".join(export.lines(entry.report(make_scope()), lambda bucket: "/tickets/"))
        for row in csv.reader(io.StringIO(text, newline="")):
            assert [cell for cell in row if cell.startswith(("=", "@", "+", "\t", " "))] == []
    assert "'=HYPERLINK" in "".join(
        export.lines(reports.acceptance(make_scope()), lambda bucket: "/tickets/")
    )


@pytest.mark.django_db
def test_each_line_is_one_figure_with_all_that_it_needs() -> None:
    desk = make_desk()
    for _ in range(12):
        accept(make_proposal(desk))

    lines = export.lines(reports.acceptance(make_scope()), lambda bucket: f"/{bucket.state}")
    found = {
        (row["label_1"], row["figure"]): row
        for row in csv.DictReader(io.StringIO("".join(lines), newline=""))
    }

    rate = found["Network › VPN", "rate"]
    interval = wilson(12, 12)
    assert interval is not None
    assert (float(rate["value"]), rate["k"], rate["n"]) == (1.0, "12", "12")
    assert (float(rate["low"]), float(rate["high"])) == tuple(interval)
    assert (rate["metric"], rate["definition_version"]) == ("acceptance", "1")
    assert (rate["from"], rate["to"], rate["time_zone"]) == ("2026-03-01", "2026-03-31", "UTC")
    assert rate["tickets"] == "/accepted"
    assert "not correctness" in rate["caveat"]
    assert set(found) == {
        (label, figure)
        for label in ("all", "Network › VPN")
        for figure in ("n", "accepted", "overridden", "rate")
    }
