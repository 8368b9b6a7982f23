"""docs/evaluation.md as it is written from figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from triage.trials import page, plots, report
from triage.trials.suite import averaged
from triage.trials.trial import Answers, Trial


def side(accuracy: float) -> dict[str, Any]:
    return {
        "accuracy": accuracy, "macro_f1": accuracy, "top3": 1.0, "brier": 0.2, "ece": 0.019,
        "coverage_at_error": {"0.01": 0.5, "0.02": 0.63, "0.05": 0.8},
        "error_at_coverage": {"0.5": 0.01},
        "oos": {"auroc": None, "recall_at_0.05": None, "recall_at_0.1": None},
        "texts_per_second": {"batch": None, "single": None},
    }  # fmt: skip


def figures(seed: int, accuracy: float, **over: Any) -> dict[str, Any]:
    tiers = {
        "first": side(accuracy - 0.02) | {"share_second": 0.0},
        "cascade": side(accuracy - 0.001) | {"share_second": 0.21},
        "second": side(accuracy) | {"share_second": 1.0},
    }
    ratios = dict.fromkeys(["first_vs_bare", "cascade_vs_second", "cascade_vs_second_single"])
    return {
        **side(accuracy),
        "dataset": "it", "title": "it-service-tickets", "split": "random", "said": "at random",
        "notes": [], "seed": seed, "labels": 8, "texts": {"train": 8, "test": 2, "out_of_scope": 0},
        "answered_by": "both tiers", "alone": None, "tiers": tiers,
        "baselines": {"linear_svc": {"accuracy": 0.7, "fit_seconds": 1.0}},
        "ratios": ratios | {"accuracy_lost_by_cascade": 0.001},
        "fit_seconds": 10.0 * (seed + 1), "peak_mb": 500.0, "machine": {"cores": "2"},
    } | over  # fmt: skip


TIMED = {
    "ratios": {
        "first_vs_bare": {"batch": 3.0, "single": 0.4}, "cascade_vs_second": 3.9,
        "cascade_vs_second_single": 2.5, "accuracy_lost_by_cascade": 0.001,
    }
}  # fmt: skip


def test_seeds_become_their_mean_and_what_one_lacks_is_taken_from_the_others() -> None:
    mean = averaged([figures(0, 0.86, **TIMED), figures(1, 0.88)])

    assert mean["accuracy"] == 0.87
    assert mean["tiers"]["cascade"]["accuracy"] == 0.869
    assert mean["ratios"]["first_vs_bare"] == {"batch": 3.0, "single": 0.4}
    assert mean["texts"] == {"train": 8, "test": 2, "out_of_scope": 0}
    assert mean["oos"]["auroc"] is None


def test_what_was_wanted_stands_beside_the_mean_and_the_range() -> None:
    runs = page.by_entry([figures(0, 0.866, **TIMED), figures(1, 0.872)])
    lines = page.page(runs, {}, "").splitlines()

    row = next(line for line in lines if "split at random | accuracy" in line)
    assert "| ≥ 0.868 | 0.8690 | 0.8660 to 0.8720 | 0.8680 | yes |" in row
    assert "Random splits: the mean over 2 seeds." in lines
    speed = next(line for line in lines if line.startswith("| it-service") and "3.00" in line)
    assert "| 3.00 | **0.40** (missed) | **3.90** (missed) | 2.50 | 0.0010 |" in speed
    assert not any("by time" in line for line in lines)


def test_what_was_written_by_hand_stays() -> None:
    runs = page.by_entry([figures(0, 0.8)])
    first = page.page(runs, {}, "")
    written = first.replace("Nothing yet.", "Longer *n*-grams cost much and brought 0.0004.")
    again = page.page(page.by_entry([figures(0, 0.9)]), {}, written)

    assert "Longer *n*-grams cost much and brought 0.0004." in again
    assert "0.8000" not in again
    assert again.count(page.BEGIN) == 1
    assert page.page(page.by_entry([figures(0, 0.9)]), {}, again) == again


def test_pictures_are_named_as_seen_from_the_page(tmp_path: Path) -> None:
    (tmp_path / "docs/images").mkdir(parents=True)
    (tmp_path / "docs/images/it-random-coverage.png").touch()

    found = page.pictures_in(tmp_path / "docs/images", tmp_path / "docs")

    assert found["it-random"] == ["images/it-random-coverage.png"]
    text = page.page(page.by_entry([figures(0, 0.9)]), found, "")
    assert "it-service-tickets, split at random](images/it-random-coverage.png)" in text


def test_a_page_of_limited_runs_says_that_it_means_nothing() -> None:
    runs = page.by_entry([figures(0, 0.9, notes=["Only 9 of 90 texts are used (--limit)."])])

    assert page.LIMITED in page.page(runs, {}, "")


def test_tables_are_aligned_and_leave_out_lines_that_say_nothing() -> None:
    rows = report.compared(figures(0, 0.875))
    lines = report.aligned(rows)

    assert rows[0] == ["", "both tiers", "cascade", "first tier", "LinearSVC"]
    assert ["accuracy", "0.8750", "0.8740", "0.8550", "0.7000"] in rows
    assert ["answered at 2 % error", "63.0 %", "63.0 %", "63.0 %", "-"] in rows
    assert ["seconds to fit", "10.0", "-", "-", "1.0"] in rows
    assert not any(row[0].startswith(("out-of-scope", "texts a second")) for row in rows)
    assert len({len(line) for line in lines[1:]}) == 1


def test_the_first_tier_alone_says_why() -> None:
    alone = figures(0, 0.8, answered_by="first tier", alone="There are no sentence vectors.")
    alone["tiers"] |= {"cascade": None, "second": None}
    said = report.text(alone)

    assert "There are no sentence vectors." in said
    assert "both tiers" not in said


def test_every_label_has_a_bar_of_its_own_however_alike_the_names(tmp_path: Path) -> None:
    classes = [f"a very long name that differs at the end only, {n}" for n in range(15)]
    truth = np.arange(15)
    trial = Trial(figures(0, 1.0), {"first": Answers(np.eye(15))}, classes, truth)
    axes = Figure().add_subplot()

    plots.hardest(trial, axes, truth)
    drawn = plots.draw(trial, tmp_path, "x")

    assert len(axes.patches) == 15
    assert [path.name for path in drawn] == ["x-reliability.png", "x-coverage.png", "x-labels.png"]
