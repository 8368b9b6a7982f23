"""The nearest of a handful of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from triage.learning.features import tokens


@dataclass(frozen=True)
class Counted:
    """A text's distinct words by number, and for each 1 + log(count)."""

    words: NDArray[np.int64]
    weights: NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Texts that may be compared with each other: they share one numbering of their words."""

    _number_of: dict[str, int] = field(default_factory=dict)

    def count(self, text: str) -> Counted:
        counts = Counter(tokens(text))
        numbers = [self._number_of.setdefault(word, len(self._number_of)) for word in counts]
        return Counted(
            np.array(numbers, dtype=np.int64), 1 + np.log(np.fromiter(counts.values(), dtype=float))
        )

    def rank(self, query: Counted, candidates: Sequence[Counted]) -> NDArray[np.float64]:
        """Cosine, 0 to 1, of each candidate to the query; 0 where no word is shared.

        Words weigh (1 + log count) * idf, idf = log((1 + n) / (1 + texts with the word)) + 1
        taken from the candidates, so a word that all of them share tells them apart little.
        Shape (n_candidates,), in the order given.
        """
        n, n_words = len(candidates), len(self._number_of)
        if not n:
            return np.zeros(0)
        words = np.concatenate([candidate.words for candidate in candidates])
        row = np.repeat(np.arange(n), [len(candidate.words) for candidate in candidates])
        idf = np.log((1 + n) / (1 + np.bincount(words, minlength=n_words))) + 1
        weights = np.concatenate([candidate.weights for candidate in candidates]) * idf[words]
        wanted = np.zeros(n_words)
        wanted[query.words] = query.weights * idf[query.words]
        shared = np.bincount(row, weights * wanted[words], minlength=n)
        lengths = np.sqrt(np.bincount(row, weights**2, minlength=n)) * np.linalg.norm(wanted)
        cosines: NDArray[np.float64] = np.divide(
            shared, lengths, out=np.zeros(n), where=lengths > 0
        )
        # Rounding may lead past 1.
        return np.clip(cosines, 0.0, 1.0)
