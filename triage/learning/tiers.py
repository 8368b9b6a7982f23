"""What each tier of a classifier costs, and how many texts the second is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from threadpoolctl import threadpool_limits

from triage.learning.classifier import Ask, Classifier
from triage.learning.second import Encoder

# Enough that the clock is no matter, few enough that it takes a few seconds at most.
TRIED = 300


def measured(
    classifier: Classifier, texts: Sequence[str], encoder: Encoder | None
) -> dict[str, dict[str, Any]]:
    """By tier ("1", "2") the milliseconds per text and the share of texts it answers, 0 to 1.

    On texts that the classifier has not seen, or it would be sure of them all; in one batch and
    one thread, with an encoder that keeps no vectors. Without a second tier there is just one.
    """
    tried = list(texts[:TRIED])
    with threadpool_limits(1):
        first = _milliseconds(classifier, tried, encoder, Ask.NEVER)
        if not classifier.is_two_tiered(encoder):
            return {"1": {"ms_per_text": first, "share": 1.0}}
        second = _milliseconds(classifier, tried, encoder, Ask.ALWAYS)
    share = float((classifier.predict(tried, encoder=encoder).tiers == 2).mean())
    return {
        "1": {"ms_per_text": first, "share": round(1 - share, 4)},
        "2": {"ms_per_text": second, "share": round(share, 4)},
    }


def _milliseconds(
    classifier: Classifier, texts: Sequence[str], encoder: Encoder | None, ask: Ask
) -> float:
    began = perf_counter()
    classifier.predict(texts, encoder=encoder, ask=ask)
    return round(1000 * (perf_counter() - began) / len(texts), 3)
