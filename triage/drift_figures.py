"""What a version's live predictions of some time looked like, as counts; and two such compared.

Reads a sample in bounded memory. What is kept of texts is counts of hashed words: see BUCKETS.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import BigIntegerField, F, Func, QuerySet

from triage.blind_checks import blind_checks, worth
from triage.learning import drift, serving
from triage.learning.features import tokens
from triage.learning.text import document
from triage.models import ModelVersion, Prediction

MOST = 2_000
CHECKED_DAYS = 28
LEAST_CHECKS = 100
# The share of tickets learnt from that are as unusual as this, by what the score means.
OUT_OF_SCOPE = 0.05
# What is measured of each ticket, and cut into bins by the reference's own quantiles.
MEASURES = ("unknown_words", "length", "in_scope")


@dataclass(frozen=True)
class Sample:
    """Of each ticket: words counted by bucket, in all; the measures; the proposed choice."""

    words: list[int]
    measures: Mapping[str, list[float]]
    choices: Counter[str]
    out_of_scope: float

    @property
    def n(self) -> int:
        return self.choices.total()


def predicted(version: ModelVersion, start: datetime, end: datetime) -> QuerySet[Prediction]:
    """The version's predictions after `start` and up to `end`, both moments."""
    return Prediction.objects.filter(
        model_version=version, created_at__gt=start, created_at__lte=end
    )


def sample(version: ModelVersion, rows: QuerySet[Prediction]) -> Sample:
    """Counts over at most MOST of the predictions, drawn by a hash of their id.

    The same ones each time. ArtefactRefused if the version's file does not load.
    """
    words = np.zeros(drift.BUCKETS, dtype=np.int64)
    measures: dict[str, list[float]] = {name: [] for name in MEASURES}
    choices: Counter[str] = Counter()
    found = _drawn(rows).values_list(
        "probabilities", "in_scope", "ticket_version__subject", "ticket_version__body"
    )
    texts = []
    for probabilities, in_scope, subject, body in found:
        choices[max(probabilities, key=probabilities.__getitem__, default="")] += 1
        measures["in_scope"].append(in_scope)
        # What was erased has no words to count.
        if subject or body:
            texts.append(document(subject, body))
            listed = tokens(texts[-1])
            words += drift.buckets(listed)
            measures["length"].append(float(len(listed)))
    measures["unknown_words"] = serving.unknown_shares(version, texts)
    unusual = [scope < OUT_OF_SCOPE for scope in measures["in_scope"]]
    return Sample(
        [int(n) for n in words], measures, choices, sum(unusual) / len(unusual) if unusual else 0.0
    )


def reference_of(first: Sample) -> dict[str, Any]:
    """What is kept of a version's first predictions: counts, and where the bins are cut."""
    cut = {name: drift.edges(first.measures[name] or [0.0]) for name in MEASURES}
    return {
        "words": first.words,
        "edges": cut,
        "bins": {name: drift.histogram(first.measures[name], cut[name]) for name in MEASURES},
        "choices": dict(first.choices),
        "out_of_scope": first.out_of_scope,
        "n": first.n,
    }


def compared(kept: Mapping[str, Any], now: Sample) -> dict[str, Any]:
    """The figures of a report: how far `now` lies from a reference that was kept."""
    shifts = {"words": drift.shift(kept["words"], now.words)}
    for name in MEASURES:
        bins = drift.histogram(now.measures[name], kept["edges"][name])
        shifts[name] = drift.shift(kept["bins"][name], bins)
    keys = sorted({*kept["choices"], *now.choices})
    before, after = (
        [counts.get(key, 0) for key in keys] for counts in (kept["choices"], now.choices)
    )
    scope = drift.more_out_of_scope(now.out_of_scope, now.n, kept["out_of_scope"], kept["n"])
    return {
        "inputs": {name: _of_shift(one) for name, one in shifts.items()},
        "predictions": {
            **_of_shift(drift.shift(before, after)),
            "divergence": drift.divergence(before, after),
            "shares": {key: now.choices[key] / now.n for key in keys if now.choices[key]},
        },
        "out_of_scope": _of_excess(scope),
    }


def calibration(version: ModelVersion, end: datetime) -> tuple[int, dict[str, Any] | None]:
    """How many blind checks up to `end` there are, and the figures; None below the minimum."""
    after = max(version.created_at, end - timedelta(days=CHECKED_DAYS))
    checks = blind_checks(version, after=after, upto=end)
    if worth(checks) < LEAST_CHECKS:
        return len(checks), None
    found = drift.miscalibration(
        [check.stated for check in checks],
        [check.is_right for check in checks],
        [check.weight for check in checks],
    )
    return len(checks), _of_excess(found)


def _drawn(rows: QuerySet[Prediction]) -> QuerySet[Prediction]:
    """At most MOST of the rows; a little more are drawn, so that MOST are there to be taken."""
    n = rows.count()
    if n <= MOST:
        return rows
    share = min(1.0, 1.2 * MOST / n)
    drawn = rows.annotate(
        draw=Func(F("pk"), function="hashint8", output_field=BigIntegerField())
    ).filter(draw__lt=int(-(2**31) + share * 2**32))
    return drawn.order_by("pk")[:MOST]


def _of_shift(found: drift.Shift) -> dict[str, Any]:
    return {
        "index": found.index,
        "by_chance": found.by_chance,
        "is_notable": found.is_notable,
        "is_grave": found.is_grave,
    }


def _of_excess(found: drift.Excess) -> dict[str, Any]:
    return {
        "value": found.value,
        "reference": found.reference,
        "by_chance": found.by_chance,
        "is_notable": found.is_notable,
        "is_grave": found.is_grave,
    }
