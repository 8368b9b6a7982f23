"""Taking out of a classifier what it has of texts that must be forgotten, and of no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from triage.learning.classifier import Classifier
from triage.learning.features import Features, pieces, terms, tokens
from triage.learning.second import print_of


@dataclass
class Terms:
    """What columns are made of: words with word pairs, and the pieces inside words.

    And the prints of whole texts, by which the second tier knows those that it remembers.
    """

    words: set[str] = field(default_factory=set)
    pieces: set[str] = field(default_factory=set)
    prints: set[bytes] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.words or self.pieces or self.prints)

    def __len__(self) -> int:
        return len(self.words) + len(self.pieces) + len(self.prints)


def terms_of(texts: Iterable[str]) -> Terms:
    """All that a model could have learnt from the texts."""
    found = Terms()
    for text in texts:
        listed = tokens(text)
        found.prints.add(print_of(text))
        found.words.update(terms(listed))
        for token in set(listed):
            found.pieces.update(pieces(token))
    return found


def only_theirs(theirs: Terms, others: Iterable[str]) -> Terms:
    """Those of the terms that occur in none of the other texts."""
    left = Terms(set(theirs.words), set(theirs.pieces), set(theirs.prints))
    seen: set[str] = set()
    for text in others:
        if not left:
            break
        listed = tokens(text)
        left.prints.discard(print_of(text))
        left.words.difference_update(terms(listed))
        for token in set(listed) - seen:
            left.pieces.difference_update(pieces(token))
        seen.update(listed)
    return left


def known(classifier: Classifier, found: Terms) -> Terms:
    """Those of the terms that the classifier has columns for, and of the texts it remembers."""
    features = classifier.features
    remembered = classifier.second.memory.known() if classifier.second is not None else set()
    return Terms(
        found.words & features.words.keys(),
        found.pieces & features.pieces.keys(),
        found.prints & remembered,
    )


def knows_nothing_but(classifier: Classifier, gone: Terms) -> bool:
    """Whether no word or no piece would be left: a classifier needs some of both to answer."""
    features = classifier.features
    return features.words.keys() <= gone.words or features.pieces.keys() <= gone.pieces


def without(classifier: Classifier, gone: Terms) -> Classifier:
    """The classifier without the terms' columns, and without the texts it remembers.

    A text that has none of the terms is answered by the first tier exactly as before: a column
    that it does not use adds nothing to its scores, nor to the length that its row is brought to.
    In the second tier a text that is gone votes no longer; without any left the tier is gone.
    """
    features = classifier.features
    words = [word for word in features.words if word not in gone.words]
    parts = [piece for piece in features.pieces if piece not in gone.pieces]
    offset = len(features.words)
    columns = np.array(
        [*(features.words[word] for word in words), *(offset + features.pieces[p] for p in parts)],
        dtype=np.intp,
    )
    left = Features(
        {word: column for column, word in enumerate(words)},
        {piece: column for column, piece in enumerate(parts)},
        features.idf[columns],
    )
    return classifier.pruned(left, columns, gone.prints)
