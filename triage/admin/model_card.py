"""The model card of a version: what it is for, how good it is, and where it is weak.

After Mitchell and others (2019). Everything is read from what the training stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from triage.admin.base import full_name
from triage.admin.card_parts import (
    Card,
    Section,
    counts,
    group,
    listed,
    number,
    percent,
    with_interval,
)
from triage.admin.evidence import MEANING, Table, chart_of, said
from triage.learning.details import interval
from triage.models import ModelVersion

Names = Mapping[str, str]

# Below these a choice is named among the limits.
WEAK_F1 = 0.7
FEW_HELD_OUT = 10
MOST_NAMED = 12
# Shares of held-out tickets, and of how many of them: all, or the surest part.
SHARES = {
    "accuracy": 1.0,
    "top_3": 1.0,
    "error_at_coverage_50": 0.5,
    "error_at_coverage_80": 0.8,
}
FIGURES = (
    "accuracy",
    "top_3",
    "macro_f1",
    "brier",
    "log_loss",
    "calibration_error",
    "error_at_coverage_50",
    "error_at_coverage_80",
    "coverage_at_error_02",
    "coverage_at_error_05",
)


def model_card(version: ModelVersion, names: Names, live: Collection[str]) -> Card:
    """`names` are of choices by their keys, `live` the keys that may be proposed now."""
    evidence = version.evidence
    sections = [
        _intended_use(version),
        _what_it_is(version),
        *_figures(evidence),
        *_calibration(evidence),
        *_risk(evidence),
        *_choices(evidence, names),
        *_confusions(evidence, names),
        _limits(version, names, live),
        _made_with(evidence),
    ]
    field = version.field
    return Card(
        f"Model card: {field.name} v{version.number}",
        f"Fills in {field.name} of tickets of {field.source}; answered for by "
        f"{full_name(version.owner)}.",
        sections,
    )


def _intended_use(version: ModelVersion) -> Section:
    field = version.field
    return Section(
        "Intended use",
        [
            f"It proposes {field.name} for new tickets of {field.source}, for technicians to "
            "accept or change. What may be done with an answer is decided by rungs and their "
            "certificates, not by the model.",
            "It is not meant for other helpdesks, for other kinds of text, for judging people, or "
            "for choices that it did not learn. A ticket unlike those it learnt from is marked as "
            "out of scope and left to a person.",
        ],
    )


def _what_it_is(version: ModelVersion) -> Section:
    calibration = version.evidence.get("calibration", "-")
    rows = [
        ["Kind", "text classifier, trained here on this helpdesk's own tickets"],
        ["Reads", "subject and text; quotes, signatures and personal data are cut or masked first"],
        ["Answers", "a calibrated probability for each choice, and how typical the ticket is"],
        ["Calibration", str(calibration)],
        ["Choices", f"{len(version.choices):,}"],
        ["Labels", f"{version.label_count:,}"],
        ["Trained", f"{version.created_at:%Y-%m-%d %H:%M} UTC"],
        ["Answered for by", full_name(version.owner)],
        ["State", version.get_state_display()],
        ["SHA-256 of the file", version.sha256],
    ]
    return Section("What it is", table=Table("What it is", ["", ""], rows))


def _figures(evidence: Mapping[str, Any]) -> list[Section]:
    """Both hold-outs side by side, with Wilson's interval for what is a share of tickets."""
    newest = group(evidence, "time_ordered")
    paragraphs = [
        "Measured by models that had not seen the tickets: on a fifth drawn at random, and on the "
        "newest fifth by a model of the older ones, which is closer to what comes next. In "
        "brackets the 95 % interval (Wilson) of what is a share of tickets."
    ]
    if isinstance(newest.get("note"), str):
        paragraphs.append(f"Newest fifth: {newest['note']}")
    rows = [
        ["Tickets", *[_tickets(figures) for figures in (evidence, newest)], MEANING["held_out"]]
    ]
    rows += [
        [said(key), _value(evidence, key), _value(newest, key), MEANING[key]]
        for key in FIGURES
        if number(evidence, key) is not None
    ]
    blind = number(evidence, "accuracy_on_blind")
    if blind is not None and 0 <= blind <= 1:
        shown = with_interval(blind, number(evidence, "blind_held_out") or 0)
        meaning = "The same where the label came from somebody who had not seen the advice."
        rows.insert(2, ["Accuracy on blind labels", shown, "-", meaning])
    if unknown := number(newest, "unknown_choices"):
        rows.append(
            ["Choices not known yet", "-", f"{unknown:.0f}", "Only the newest tickets have them."]
        )
    head = ["Figure", "Random fifth", "Newest fifth", "Meaning"]
    return [Section("How good it is", paragraphs, table=Table("Figures", head, rows))]


def _tickets(figures: Mapping[str, Any]) -> str:
    count = number(figures, "held_out")
    return "-" if count is None else f"{count:,.0f}"


def _value(figures: Mapping[str, Any], key: str) -> str:
    value, tickets = number(figures, key), number(figures, "held_out")
    if value is None:
        return "-"
    if key in SHARES and tickets and 0 <= value <= 1:
        return with_interval(value, max(1.0, SHARES[key] * tickets))
    return percent(value) if key.startswith("coverage_at") else f"{value:.3f}"


def _calibration(evidence: Mapping[str, Any]) -> list[Section]:
    bins = listed(evidence, "reliability", "stated", "right", "tickets")
    if not bins:
        return []
    labels = [percent(row["stated"]) for row in bins]
    curves = {
        "right": [row["right"] for row in bins],
        "as stated": [row["stated"] for row in bins],
    }
    rows = [
        [percent(row["stated"]), percent(row["right"]), f"{row['tickets']:,.0f}"] for row in bins
    ]
    head = ["Stated probability", "Right", "Tickets"]
    chart = chart_of(labels, curves)
    return [
        Section(
            "Calibration",
            ["How often the top answer was right, by the probability it was given with."],
            table=Table("Right, by stated probability", head, rows, chart, "line"),
        )
    ]


def _risk(evidence: Mapping[str, Any]) -> list[Section]:
    points = listed(evidence, "risk_coverage", "coverage", "error")
    if not points:
        return []
    shares = [percent(row["coverage"], digits=0) for row in points]
    rows = [[share, percent(row["error"])] for share, row in zip(shares, points, strict=True)]
    chart = chart_of(shares, {"wrong": [row["error"] for row in points]})
    head = ["Answered, surest first", "Wrong"]
    return [
        Section(
            "Risk and coverage",
            ["How much would be wrong if only the surest part of the tickets were answered."],
            table=Table("Wrong, by share answered", head, rows, chart, "line"),
        )
    ]


def _choices(evidence: Mapping[str, Any], names: Names) -> list[Section]:
    found = group(evidence, "per_choice")
    learnt = counts(group(evidence, "labels_by_choice"))
    ranked = sorted(found, key=lambda key: -learnt.get(key, 0))
    if not ranked:
        return []
    figures = {key: group(found, key) for key in ranked}
    rows = [
        [
            names.get(key, key),
            *[percent(number(figures[key], name)) for name in ("precision", "recall", "f1")],
            f"{number(figures[key], 'tickets') or 0:,.0f}",
            f"{learnt.get(key, 0):,}",
        ]
        for key in ranked
    ]
    f1 = [number(figures[key], "f1") or 0.0 for key in ranked]
    chart = chart_of([names.get(key, key) for key in ranked], {"F1": f1})
    head = ["Choice", "Precision", "Recall", "F1", "Held out", "Labels"]
    table = Table("F1 by choice, most labels first", head, rows, chart)
    return [Section("By choice, on the random fifth", table=table)]


def _confusions(evidence: Mapping[str, Any], names: Names) -> list[Section]:
    pairs = listed(evidence, "confusions", "tickets")
    if not pairs:
        return []
    rows = [
        [*[names.get(str(row.get(key)), str(row.get(key))) for key in ("label", "predicted")],
         f"{row['tickets']:,.0f}"]
        for row in pairs
    ]  # fmt: skip
    table = Table("Most often confused", ["Label", "Answered", "Tickets"], rows)
    return [Section("Most often confused, on the random fifth", table=table)]


def _limits(version: ModelVersion, names: Names, live: Collection[str]) -> Section:
    evidence = version.evidence
    points = [*_weak_choices(group(evidence, "per_choice"), names)]
    if unknown := sorted(set(live) - set(version.choices)):
        points.append(
            f"It cannot answer {_named(unknown, names)}: it had no labels for "
            f"{'this choice' if len(unknown) == 1 else 'these choices'}."
        )
    points += _drift(evidence)
    if noise := number(group(evidence, "label_noise"), "estimated_share"):
        points.append(f"About {percent(noise)} of the labels it learnt from are probably wrong.")
    points.append(
        "Figures on decisions flatter it: who decided had seen a proposal. Only certificates, on "
        "blind labels, are evidence for acting alone."
    )
    return Section("Limits", points=points)


def _drift(evidence: Mapping[str, Any]) -> list[str]:
    """Said only where it can hardly be chance."""
    newest = group(evidence, "time_ordered")
    then, now = number(evidence, "accuracy"), number(newest, "accuracy")
    if then is None or now is None or not 0 <= now <= 1:
        return []
    if interval(now, number(newest, "held_out") or 0)[1] >= then:
        return []
    return [
        f"On the newest tickets it was right in {percent(now)} instead of {percent(then)}: "
        "what people write has changed, and goes on changing."
    ]


def _weak_choices(per_choice: Mapping[str, Any], names: Names) -> list[str]:
    weak, few = [], []
    for key in sorted(per_choice):
        figures = group(per_choice, key)
        f1, tickets = number(figures, "f1"), number(figures, "tickets")
        if tickets is not None and tickets < FEW_HELD_OUT:
            few.append(key)
        elif f1 is not None and f1 < WEAK_F1:
            weak.append(key)
    points = []
    if weak:
        points.append(f"Weak at {_named(weak, names)}: F1 below {WEAK_F1}.")
    if few:
        points.append(f"Hardly measured at {_named(few, names)}: under {FEW_HELD_OUT} held out.")
    return points


def _named(keys: list[str], names: Names) -> str:
    shown = ", ".join(names.get(key, key) for key in keys[:MOST_NAMED])
    left = len(keys) - MOST_NAMED
    return f"{shown} and {left} more" if left > 0 else shown


def _made_with(evidence: Mapping[str, Any]) -> Section:
    libraries = group(evidence, "libraries")
    rows = [["Seed", str(evidence.get("seed", "-"))]]
    rows += [[name, str(libraries[name])] for name in sorted(libraries, key=str.lower)]
    if not libraries and "scikit_learn" in evidence:
        rows.append(["scikit-learn", str(evidence["scikit_learn"])])
    return Section(
        "Made with",
        ["The same seed, labels and versions make the same model."],
        table=Table("Made with", ["", ""], rows),
    )
