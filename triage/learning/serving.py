"""Model versions in service: loaded once per process, asked in batches."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings

from triage.learning import artefacts, explanation
from triage.learning.classifier import Classifier
from triage.models import ModelVersion

logger = logging.getLogger(__name__)

KEPT_IN_MEMORY = 24
STORED_PROBABILITIES = 10


@dataclass(frozen=True)
class Answer:
    """One text's answer: live choices with probabilities, highest first; they sum to <= 1."""

    probabilities: Mapping[str, float]
    in_scope: float
    words_for: list[str] = field(default_factory=list)
    words_against: list[str] = field(default_factory=list)


def model_path(version: ModelVersion) -> Path:
    return Path(settings.COUNTERSIGN_MODEL_DIR) / version.artefact


@lru_cache(maxsize=KEPT_IN_MEMORY)
def _load(path: Path, sha256: str) -> Classifier:
    logger.info("loading model %s", path.name)
    return artefacts.load(path, settings.COUNTERSIGN_MODEL_KEY.encode())


def ask(version: ModelVersion, texts: Sequence[str], live: frozenset[str]) -> list[Answer]:
    """Answers in the order of the texts; choices that are not live get no probability.

    Raises ArtefactRefused when the file is missing, altered or of another version.
    """
    classifier = _load(model_path(version), version.sha256)
    predictions = classifier.predict(texts)
    is_live = np.array([label in live for label in classifier.classes_])
    if not is_live.any():
        return [Answer({}, float(scope)) for scope in predictions.in_scope]
    probabilities = np.where(is_live, predictions.probabilities, 0.0)
    # What a retired choice held goes to the live ones in proportion: it cannot be the answer.
    probabilities /= np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-12)
    best = probabilities.argmax(axis=1)
    evidence = explanation.words_of_all(
        classifier, texts, predictions, [classifier.classes_[i] for i in best]
    )
    return [
        Answer(
            _highest(classifier.classes_, row),
            float(scope),
            [word.word for word in words.for_],
            [word.word for word in words.against],
        )
        for row, scope, words in zip(probabilities, predictions.in_scope, evidence, strict=True)
    ]


def _highest(labels: Sequence[str], row: np.ndarray) -> dict[str, float]:
    order = np.argsort(-row, kind="stable")[:STORED_PROBABILITIES]
    return {labels[i]: round(float(row[i]), 6) for i in order if row[i] > 0}
