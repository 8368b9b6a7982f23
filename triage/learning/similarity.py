"""The nearest of a handful of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from triage.learning.features import tokens


def rank(query: str, candidates: Sequence[str]) -> NDArray[np.float64]:
    """Cosine, 0 to 1, of each candidate to the query; 0 where no word is shared.

    Words weigh (1 + log count) * idf, idf = log((1 + n) / (1 + texts with the word)) + 1
    taken from the candidates, so a word that all of them share tells them apart little.
    Shape (n_candidates,), in the order given.
    """
    counted = [Counter(tokens(text)) for text in candidates]
    seen_in = Counter(word for counts in counted for word in counts)
    asked = Counter(tokens(query))
    column_of = {word: column for column, word in enumerate(seen_in.keys() | asked.keys())}
    idf = np.zeros(len(column_of))
    for word, column in column_of.items():
        idf[column] = np.log((1 + len(candidates)) / (1 + seen_in[word])) + 1

    def weighed(counts: Counter[str]) -> NDArray[np.float64]:
        row = np.zeros(len(column_of))
        columns = [column_of[word] for word in counts]
        row[columns] = (1 + np.log(list(counts.values()))) * idf[columns] if counts else 0
        length = np.linalg.norm(row)
        return row / length if length else row

    wanted = weighed(asked)
    return np.array([min(1.0, float(weighed(counts) @ wanted)) for counts in counted])
