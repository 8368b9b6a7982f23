"""Taking words out of a classifier that only texts which must be forgotten have used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from triage.learning.classifier import Classifier
from triage.learning.features import Features, pieces, terms, tokens


@dataclass
class Terms:
    """What columns are made of: words with word pairs, and the pieces inside words."""

    words: set[str] = field(default_factory=set)
    pieces: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.words or self.pieces)

    def __len__(self) -> int:
        return len(self.words) + len(self.pieces)


def terms_of(texts: Iterable[str]) -> Terms:
    """All that a model could have learnt from the texts."""
    found = Terms()
    for text in texts:
        listed = tokens(text)
        found.words.update(terms(listed))
        for token in set(listed):
            found.pieces.update(pieces(token))
    return found


def only_theirs(theirs: Terms, others: Iterable[str]) -> Terms:
    """Those of the terms that occur in none of the other texts."""
    left = Terms(set(theirs.words), set(theirs.pieces))
    seen: set[str] = set()
    for text in others:
        if not left:
            break
        listed = tokens(text)
        left.words.difference_update(terms(listed))
        for token in set(listed) - seen:
            left.pieces.difference_update(pieces(token))
        seen.update(listed)
    return left


def known(classifier: Classifier, found: Terms) -> Terms:
    """Those of the terms that the classifier has columns for."""
    features = classifier.features
    return Terms(found.words & features.words.keys(), found.pieces & features.pieces.keys())


def knows_nothing_but(classifier: Classifier, gone: Terms) -> bool:
    """Whether no word or no piece would be left: a classifier needs some of both to answer."""
    features = classifier.features
    return features.words.keys() <= gone.words or features.pieces.keys() <= gone.pieces


def without(classifier: Classifier, gone: Terms) -> Classifier:
    """The classifier without the terms' columns.

    A text that has none of the terms is answered exactly as before: a column that it does not
    use adds nothing to its scores, nor to the length that its row is brought to.
    """
    features = classifier.features
    words = [word for word in features.words if word not in gone.words]
    parts = [piece for piece in features.pieces if piece not in gone.pieces]
    offset = len(features.words)
    columns = np.array(
        [*(features.words[word] for word in words), *(offset + features.pieces[p] for p in parts)],
        dtype=np.intp,
    )
    return replace(
        classifier,
        features=Features(
            {word: column for column, word in enumerate(words)},
            {piece: column for column, piece in enumerate(parts)},
            features.idf[columns],
        ),
        weights=np.ascontiguousarray(classifier.weights[columns]),
        centroids=np.ascontiguousarray(classifier.centroids[columns]),
    )
