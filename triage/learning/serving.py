"""Model versions in service: loaded once per process, asked in batches."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings

from triage.learning import artefacts, explanation
from triage.learning.classifier import Ask, Classifier, Predictions
from triage.learning.explanation import Evidence
from triage.learning.features import tokens
from triage.learning.vectors import encoder
from triage.models import ModelVersion

logger = logging.getLogger(__name__)

KEPT_IN_MEMORY = 24
STORED_PROBABILITIES = 10


@dataclass(frozen=True)
class Answer:
    """One text's answer: live choices with probabilities, highest first; they sum to <= 1.

    `tier` is 1 where the linear model answered at once, 2 where sentence vectors were asked too.
    """

    probabilities: Mapping[str, float]
    in_scope: float
    tier: int = 1


def model_path(version: ModelVersion) -> Path:
    return Path(settings.COUNTERSIGN_MODEL_DIR) / version.artefact


@lru_cache(maxsize=KEPT_IN_MEMORY)
def _load(path: Path, sha256: str) -> Classifier:
    logger.info("loading model %s", path.name)
    classifier = artefacts.load(path, settings.COUNTERSIGN_MODEL_KEY.encode(), sha256=sha256)
    if classifier.second is not None and not classifier.is_two_tiered(encoder()):
        logger.warning("model %s: no sentence vectors of its kind, one tier answers", path.name)
    return classifier


def ask(version: ModelVersion, texts: Sequence[str], live: frozenset[str]) -> list[Answer]:
    """Answers in the order of the texts; choices that are not live get no probability.

    Raises ArtefactRefused when the file is missing, altered or of another version.
    """
    classifier = _load(model_path(version), version.sha256)
    predictions = _predicted(classifier, texts)
    is_live = np.array([label in live for label in classifier.classes_])
    if not is_live.any():
        return [
            Answer({}, float(scope), int(tier))
            for scope, tier in zip(predictions.in_scope, predictions.tiers, strict=True)
        ]
    probabilities = np.where(is_live, predictions.probabilities, 0.0)
    # What a retired choice held goes to the live ones in proportion: it cannot be the answer.
    probabilities /= np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-12)
    return [
        Answer(_highest(classifier.classes_, row), float(scope), int(tier))
        for row, scope, tier in zip(
            probabilities, predictions.in_scope, predictions.tiers, strict=True
        )
    ]


def words(version: ModelVersion, texts: Sequence[str], labels: Sequence[str]) -> list[Evidence]:
    """Which words of each text spoke for and against its label, by the version that answered.

    Raises ArtefactRefused as `ask` does, and ValueError for a label that the model does not know.
    """
    classifier = _load(model_path(version), version.sha256)
    said = _predicted(classifier, texts)
    return explanation.words_of_all(classifier, texts, said, labels, encoder=encoder())


def unknown_shares(version: ModelVersion, texts: Sequence[str]) -> list[float]:
    """Of each text the share of its different words that the version has never met, 0 to 1.

    A text without words has 0. Raises ArtefactRefused as `ask` does.
    """
    known = _load(model_path(version), version.sha256).features.words
    shares = []
    for text in texts:
        found = set(tokens(text))
        shares.append(sum(word not in known for word in found) / max(1, len(found)))
    return shares


def _predicted(classifier: Classifier, texts: Sequence[str]) -> Predictions:
    return classifier.predict(texts, encoder=encoder(), ask=Ask(settings.SEMANTIC_ASK))


def _highest(labels: Sequence[str], row: np.ndarray) -> dict[str, float]:
    order = np.argsort(-row, kind="stable")[:STORED_PROBABILITIES]
    return {labels[i]: round(float(row[i]), 6) for i in order if row[i] > 0}
