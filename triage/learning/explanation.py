"""Which words of a text spoke for an answer and which against it, by the model that gave it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.learning.classifier import Ask, Classifier, Predictions
from triage.learning.features import TOKEN
from triage.learning.second import Encoder

# Each word more costs the second tier another sentence vector.
MOST_LEFT_OUT = 40
# A probability of 0 or 1 has log-odds too, for differences to be taken.
_LEAST = 1e-6


@dataclass(frozen=True)
class WordWeight:
    """A word as it stands in the text, and how far it moved the log-odds (nats, signed)."""

    word: str
    weight: float


@dataclass(frozen=True)
class Evidence:
    """Strongest first; `for_` has positive weights only, `against` negative ones only."""

    for_: list[WordWeight]
    against: list[WordWeight]


def words(
    classifier: Classifier,
    text: str,
    label: str,
    top: int = 4,
    *,
    encoder: Encoder | None = None,
) -> Evidence:
    """At most `top` words for and against `label`, spelled as at their first place in the text.

    Where the first tier answers, a word's weight is the sum, over all its places, of what its
    columns add to log(p(label) / (1 - p(label))), to first order: tf-idf times the label's
    coefficient less that of the other classes, each as likely as the model holds it to be. A pair
    counts half for either word, a piece of a word for the words it came from. Where the second
    tier answers, it is how far the log-odds fall when the word is left out everywhere.

    Raises ValueError where the classifier does not know the label.
    """
    said = classifier.predict([text], encoder=encoder)
    return words_of_all(classifier, [text], said, [label], top, encoder=encoder)[0]


def words_of_all(
    classifier: Classifier,
    texts: Sequence[str],
    predictions: Predictions,
    labels: Sequence[str],
    top: int = 4,
    *,
    encoder: Encoder | None = None,
) -> list[Evidence]:
    """As `words`, for the texts that `predictions` was made from, in the same order."""
    if not len(texts) == len(predictions) == len(labels):
        raise ValueError(
            "Texts, predictions and labels must be as many, "
            f"got {len(texts)}, {len(predictions)} and {len(labels)}."
        )
    column_of = {name: column for column, name in enumerate(classifier.classes_)}
    unknown = set(labels) - column_of.keys()
    if unknown:
        raise ValueError(f"Labels must be classes of the model, got {sorted(unknown)}.")
    found = []
    rows = predictions.rows
    for number, (text, label) in enumerate(zip(texts, labels, strict=True)):
        if encoder is not None and predictions.tiers[number] == 2:
            weighed = _by_leaving_out(classifier, text, column_of[label], encoder)
            found.append(_strongest(weighed, top))
            continue
        inside = slice(rows.indptr[number], rows.indptr[number + 1])
        columns = rows.indices[inside]
        direction = _direction(predictions.probabilities[number], column_of[label])
        added = rows.data[inside] * (classifier.weights[columns] @ direction)
        by_column = dict(zip(columns.tolist(), added.tolist(), strict=True))
        found.append(_strongest(_by_word(classifier, text, by_column), top))
    return found


def _by_leaving_out(
    classifier: Classifier, text: str, label: int, encoder: Encoder
) -> list[WordWeight]:
    """Each of the words that may matter most, left out at all its places."""
    spelled: dict[str, str] = {}
    for token in TOKEN.findall(text):
        spelled.setdefault(token.lower(), token)
    tried = _candidates(classifier, list(spelled), label)
    cut = [_without(text, word) for word in tried]
    said = classifier.predict_proba([text, *cut], encoder=encoder, ask=Ask.ALWAYS)[:, label]
    bounded = np.clip(said, _LEAST, 1 - _LEAST)
    odds = np.log(bounded / (1 - bounded))
    return [
        WordWeight(spelled[word], float(odds[0] - left))
        for word, left in zip(tried, odds[1:], strict=True)
    ]


def _without(text: str, word: str) -> str:
    return TOKEN.sub(lambda one: "" if one.group().lower() == word else one.group(), text)


def _candidates(classifier: Classifier, distinct: list[str], label: int) -> list[str]:
    """The words to leave out: all, or those that differ most for the label by themselves."""
    if len(distinct) <= MOST_LEFT_OUT:
        return distinct
    scores = classifier.features.rows(distinct) @ classifier.weights
    apart = np.abs(scores[:, label] - scores.mean(axis=1))
    strongest = np.argsort(-apart, kind="stable")[:MOST_LEFT_OUT]
    return [distinct[place] for place in sorted(strongest)]


def _direction(probabilities: NDArray[np.float64], label: int) -> NDArray[np.float32]:
    """The gradient of the label's log-odds by the class scores."""
    others = probabilities.copy()
    others[label] = 0
    total = others.sum()
    if total > 0:
        others /= total
    direction = -others
    direction[label] = 1
    return direction.astype(np.float32)


def _by_word(classifier: Classifier, text: str, by_column: dict[int, float]) -> list[WordWeight]:
    features = classifier.features
    offset = len(features.words)
    spelled = TOKEN.findall(text)
    lowered = [token.lower() for token in spelled]
    times = Counter(lowered)
    weights: defaultdict[str, float] = defaultdict(float)
    for token in times:
        column = features.words.get(token)
        if column is not None:
            weights[token] += by_column[column]
    for left, right in zip(lowered, lowered[1:], strict=False):
        column = features.words.get(f"{left} {right}")
        # Every place of the pair passes here and its weight is one for all of them.
        if column is not None and column in by_column:
            half = by_column.pop(column) / 2
            weights[left] += half
            weights[right] += half
    in_token = {token: Counter(features.columns_of(token).tolist()) for token in times}
    in_text: Counter[int] = Counter()
    for token, counted in in_token.items():
        for column, count in counted.items():
            in_text[column] += count * times[token]
    for token, counted in in_token.items():
        weights[token] += sum(
            by_column[offset + column] * count * times[token] / in_text[column]
            for column, count in counted.items()
        )
    first_spelling = dict(zip(reversed(lowered), reversed(spelled), strict=True))
    return [WordWeight(first_spelling[token], weight) for token, weight in weights.items()]


def _strongest(weighed: list[WordWeight], top: int) -> Evidence:
    ranked = sorted(weighed, key=lambda one: one.weight)
    return Evidence(
        for_=[one for one in reversed(ranked) if one.weight > 0][:top],
        against=[one for one in ranked if one.weight < 0][:top],
    )
