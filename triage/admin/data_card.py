"""The data card of a version: what it learnt from, and what was left out. No ticket's text.

After Gebru and others (Datasheets for Datasets, 2021), cut to what an owner acts on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triage.admin.card_parts import Card, Section, counts, group, number, percent
from triage.admin.evidence import Table, chart_of
from triage.learning.examples import WEIGHTS
from triage.models import Label, ModelVersion

Names = Mapping[str, str]
ORIGINS = {origin.value: origin.label for origin in Label.Origin}


def data_card(version: ModelVersion, names: Names, verdicts: Mapping[str, int]) -> Card:
    """`verdicts` counts this version's doubts by what the owner said of them, "" not yet."""
    evidence = version.evidence
    data = group(evidence, "data")
    field = version.field
    sections = [
        _what_it_holds(version, data),
        *_origins(evidence),
        *_balance(evidence, data, names),
        *_left_out(version, data),
        *_texts(data),
        *_noise(evidence, verdicts),
        Section(
            "Personal data",
            [
                "Mail addresses, telephone and account numbers and the like are masked before "
                "anything is counted. This card holds figures only. When a requester is erased, "
                "words that only their tickets had go from the model's file as well.",
            ],
        ),
    ]
    return Card(
        f"Data card: {field.name} v{version.number}",
        f"What was learnt from {field.source} to fill in {field.name}.",
        sections,
    )


def _what_it_holds(version: ModelVersion, data: Mapping[str, Any]) -> Section:
    rows = [["Tickets with a label that taught", f"{version.label_count:,}"]]
    if isinstance(data.get("first_opened"), str) and isinstance(data.get("last_opened"), str):
        period = f"{data['first_opened'][:10]} to {data['last_opened'][:10]}"
        rows.append(["Opened", period])
    rows.append(["Choices", f"{len(version.choices):,}"])
    return Section(
        "What it holds",
        [
            "One label for each ticket, the most trusted one: a blind spot check before what "
            "happened later, that before a decision, that before imported history. Answers of a "
            "model that nobody touched are no labels.",
        ],
        table=Table("What it holds", ["", ""], rows),
    )


def _origins(evidence: Mapping[str, Any]) -> list[Section]:
    found = counts(group(evidence, "origins"))
    if not found:
        return []
    total = sum(found.values())
    rows = [
        [
            ORIGINS.get(origin, origin),
            f"{count:,}",
            percent(count / total if total else None),
            f"{WEIGHTS[origin]:g}" if origin in WEIGHTS else "-",
        ]
        for origin, count in sorted(found.items(), key=lambda pair: -pair[1])
    ]
    return [
        Section(
            "Where labels come from",
            [
                "Decisions weigh least, because whoever decided had seen what the model said; "
                "blind labels weigh most.",
            ],
            table=Table("By origin", ["Origin", "Labels", "Share", "Weight"], rows),
        )
    ]


def _balance(evidence: Mapping[str, Any], data: Mapping[str, Any], names: Names) -> list[Section]:
    found = counts(group(evidence, "labels_by_choice"))
    if not found:
        return []
    total, by_origin = sum(found.values()), group(data, "origins_by_choice")
    origins = [origin for origin in ORIGINS if any(origin in group(by_origin, k) for k in found)]
    ranked = sorted(found, key=lambda key: -found[key])
    rows = [
        [
            names.get(key, key),
            f"{found[key]:,}",
            percent(found[key] / total if total else None),
            *[f"{counts(group(by_origin, key)).get(origin, 0):,}" for origin in origins],
        ]
        for key in ranked
    ]
    head = ["Choice", "Labels", "Share", *[ORIGINS[origin].capitalize() for origin in origins]]
    chart = chart_of(
        [names.get(key, key) for key in ranked], {"labels": [found[k] for k in ranked]}
    )
    ratio = found[ranked[0]] / found[ranked[-1]] if found[ranked[-1]] else 0.0
    said = f"The most frequent choice has {ratio:,.1f} times the labels of the rarest."
    return [Section("Balance of choices", [said], table=Table("By choice", head, rows, chart))]


def _left_out(version: ModelVersion, data: Mapping[str, Any]) -> list[Section]:
    if "left_out" not in data:
        return []
    found = {reason: n for reason, n in counts(group(data, "left_out")).items() if n}
    if not found:
        return [Section("What was left out", ["Nothing: every label taught."])]
    every = sum(found.values()) + version.label_count
    ranked = sorted(found.items(), key=lambda pair: -pair[1])
    rows = [[reason.capitalize(), f"{n:,}", percent(n / every)] for reason, n in ranked]
    said = f"{percent(sum(found.values()) / every)} of {every:,} labels taught nothing."
    table = Table("Left out", ["Because", "Labels", "Share of all"], rows)
    return [Section("What was left out", [said], table=table)]


def _texts(data: Mapping[str, Any]) -> list[Section]:
    tickets = number(data, "tickets")
    if not tickets:
        return []
    repeated, contradicted = number(data, "duplicates"), number(data, "contradicted")
    rows = [
        ["Words, median", f"{number(data, 'median_words') or 0:,.0f}"],
        ["Words, longest", f"{number(data, 'longest_words') or 0:,.0f}"],
        ["Repeat an earlier text", percent((repeated or 0) / tickets)],
        ["… with another label than it", percent((contradicted or 0) / tickets)],
    ]
    spoken = counts(group(data, "languages"))
    rows += [
        [f"In {language}" if language != "not told" else "Language not told", percent(n / tickets)]
        for language, n in sorted(spoken.items(), key=lambda pair: -pair[1])
    ]
    said = "Languages are told by their most frequent words; a few words may not be enough."
    return [Section("Texts", [said], table=Table("Texts", ["", ""], rows))]


def _noise(evidence: Mapping[str, Any], verdicts: Mapping[str, int]) -> list[Section]:
    noise = group(evidence, "label_noise")
    share = number(noise, "estimated_share")
    if share is None:
        return []
    rows = [
        ["Labels probably wrong", percent(share)],
        ["Labels examined", f"{number(noise, 'examined') or 0:,.0f}"],
        ["Looked wrong one by one", f"{number(noise, 'doubted') or 0:,.0f}"],
        ["Waiting for a verdict", f"{verdicts.get('', 0):,}"],
        ["Called right", f"{verdicts.get('right', 0):,}"],
        ["Called wrong: teach no more", f"{verdicts.get('wrong', 0):,}"],
    ]
    said = (
        "Estimated by confident learning: models that had not seen a ticket are surer of another "
        "choice than they usually are where that choice is the label. It takes what a model finds "
        "hard for wrong sometimes, so an owner judges."
    )
    return [Section("Noise in labels", [said], table=Table("Noise", ["", ""], rows))]
