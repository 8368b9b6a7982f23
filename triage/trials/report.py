"""What a trial found, in tables and sentences: on the terminal, and in a page of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, Any]
Rows = Sequence[Sequence[str]]

NONE = "-"
SIDES = {
    "both tiers": ("words and sentence vectors for every text", "tiers", "second"),
    "cascade": ("as the service answers: the second tier for the unsure only", "tiers", "cascade"),
    "first tier": ("words alone", "tiers", "first"),
    "LinearSVC": ("TF-IDF of words and pairs, LinearSVC", "baselines", "linear_svc"),
    "compl. NB": ("the same, complement naive Bayes", "baselines", "complement_nb"),
    "bare": ("the first tier's features and model in bare scikit-learn", "baselines",
             "bare_pipeline"),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One figure by its keys in JSON, `digits` after the point; `percent`: times 100."""

    name: str
    keys: Sequence[str]
    digits: int = 4
    percent: bool = False

    def of(self, side: Figures) -> str:
        found: Any = side
        for key in self.keys:
            found = found.get(key) if found else None
        if found is None:
            return NONE
        return f"{100 * found:.1f} %" if self.percent else f"{found:,.{self.digits}f}"


LINES = (
    Line("accuracy", ["accuracy"]),
    Line("macro-F1", ["macro_f1"]),
    Line("right choice among the first 3", ["top3"]),
    Line("Brier score", ["brier"]),
    Line("ECE (15 bins)", ["ece"]),
    *(
        Line(f"error where {100 * share:.0f} % are answered", ["error_at_coverage", f"{share:g}"])
        for share in (0.5, 0.6, 0.7, 0.8, 0.9)
    ),
    *(
        Line(
            f"answered at {100 * error:.0f} % error",
            ["coverage_at_error", f"{error:g}"],
            percent=True,
        )
        for error in (0.01, 0.02, 0.05)
    ),
    Line("out-of-scope AUROC", ["oos", "auroc"]),
    Line("found with 5 % turned away", ["oos", "recall_at_0.05"], percent=True),
    Line("found with 10 % turned away", ["oos", "recall_at_0.1"], percent=True),
    Line("asked of the second tier", ["share_second"], percent=True),
    Line("texts a second, in batch", ["texts_per_second", "batch"], 0),
    Line("texts a second, singly", ["texts_per_second", "single"], 0),
    Line("seconds to fit", ["fit_seconds"], 1),
)


def compared(figures: Figures) -> list[list[str]]:
    """A table of all sides beside each other; lines that say nothing are left out."""
    sides = _sides(figures)
    rows = [["", *sides]]
    for line in LINES:
        cells = [line.of(side) for side in sides.values()]
        if any(cell != NONE for cell in cells):
            rows.append([line.name, *cells])
    return rows


def _sides(figures: Figures) -> dict[str, Figures]:
    found = {
        name: figures[group][key]
        for name, (_, group, key) in SIDES.items()
        if figures[group].get(key)
    }
    own = "both tiers" if "both tiers" in found else "first tier"
    return found | {own: found[own] | {"fit_seconds": figures["fit_seconds"]}}


def opening(figures: Figures) -> list[str]:
    texts = figures["texts"]
    strange = f", {texts['out_of_scope']:,} out of scope" if texts["out_of_scope"] else ""
    return [
        f"{figures['title']}, {figures['said']} (seed {figures['seed']})",
        f"{texts['train']:,} texts to train on, {texts['test']:,} to judge by{strange}; "
        f"{figures['labels']:,} labels.",
        *figures["notes"],
    ]


def closing(figures: Figures) -> list[str]:
    """Sentences on who is who, on speed and on cost."""
    sides = _sides(figures)
    width = max(len(name) for name in sides)
    lines = [f"{name.ljust(width)}  {SIDES[name][0]}" for name in sides]
    lines.append(f"The figures at the top of the JSON are those of: {figures['answered_by']}.")
    if figures["answered_by"] == "first tier":
        lines.append(figures["alone"])
    ratios = figures["ratios"]
    if ratios["first_vs_bare"]:
        lines.append(
            f"Texts a second, first tier / bare: {ratios['first_vs_bare']['batch']:.2f} in batch, "
            f"{ratios['first_vs_bare']['single']:.2f} singly."
        )
    if ratios["cascade_vs_second"]:
        lines.append(
            f"Texts a second, cascade / both tiers: {ratios['cascade_vs_second']:.2f} in batch, "
            f"{ratios['cascade_vs_second_single']:.2f} singly."
        )
    if ratios["accuracy_lost_by_cascade"] is not None:
        lines.append(
            f"Accuracy that the cascade loses by that: {ratios['accuracy_lost_by_cascade']:.4f}."
        )
    lines.append(
        f"Memory while training and answering: {figures['peak_mb']:,.0f} MiB at most, all that the "
        "process holds."
    )
    lines.append("; ".join(f"{name} {value}" for name, value in figures["machine"].items()))
    return lines


def text(figures: Figures) -> str:
    parts = [*opening(figures), "", *aligned(compared(figures)), "", *closing(figures)]
    return "\n".join(parts)


def aligned(rows: Rows) -> list[str]:
    """The first column to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def piped(rows: Rows) -> list[str]:
    """The same as a table of Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], f"|---|{'--:|' * (len(rows[0]) - 1)}", *lines[1:]]
