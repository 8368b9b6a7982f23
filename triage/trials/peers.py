"""What a model has to beat: customary baselines, and its first tier in bare scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.svm import LinearSVC

# What brings most coverage at a small error, tried on both sets: a factor that makes the softmax of
# LinearSVC's scores follow the gap between the two best, and a lower smoothing of naive Bayes.
_STEEPNESS = 8.0
_SMOOTHING = 0.3
# As in triage.learning: L2 strength C = 1 / (alpha * n), and rare pieces left out.
_C = 6.4
_RARE_PIECES_UP_TO = 2_000


@dataclass(frozen=True)
class Peer:
    """`make` gives an unfitted pipeline for a number of training texts and a seed."""

    key: str
    title: str
    make: Callable[[int, int], Pipeline]


def _words() -> TfidfVectorizer:
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)


def _linear_svc(n_texts: int, seed: int) -> Pipeline:
    return make_pipeline(_words(), LinearSVC(random_state=seed))


def _complement_nb(n_texts: int, seed: int) -> Pipeline:
    return make_pipeline(_words(), ComplementNB(alpha=_SMOOTHING))


def _bare(n_texts: int, seed: int) -> Pipeline:
    pieces = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(2, 5),
        sublinear_tf=True,
        min_df=1 if n_texts <= _RARE_PIECES_UP_TO else 3,
    )
    model = SGDClassifier(loss="log_loss", alpha=1 / (_C * n_texts), random_state=seed, n_jobs=2)
    return make_pipeline(FeatureUnion([("words", _words()), ("pieces", pieces)]), model)


BASELINES = (
    Peer("linear_svc", "TF-IDF (words, pairs) + LinearSVC", _linear_svc),
    Peer("complement_nb", "TF-IDF (words, pairs) + complement naive Bayes", _complement_nb),
)
BARE = Peer(
    "bare_pipeline", "the first tier in bare scikit-learn: two TfidfVectorizers + SGD", _bare
)


def probabilities(model: Any, texts: Sequence[str]) -> NDArray[np.float64]:
    """Shape (n_texts, k), columns as `model.classes_`, rows sum to 1.

    Of a model that has none, the softmax of its scores: not calibrated, but the surer the higher.
    """
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(texts), dtype=np.float64)
    scores = np.asarray(model.decision_function(texts), dtype=np.float64)
    if scores.ndim == 1:
        scores = np.column_stack([-scores, scores]) / 2
    return np.asarray(softmax(_STEEPNESS * scores, axis=1), dtype=np.float64)
