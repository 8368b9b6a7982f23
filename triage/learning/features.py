"""Texts as rows of numbers: words, word pairs and the character pieces inside words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

from triage.learning.similarity import MARKS, SPACELESS

# Where a script sets no spaces between words a character is a token, and a pair of characters what
# a pair of words is elsewhere; the marks of a script belong to the letters before them.
TOKEN = re.compile(rf"[{SPACELESS}]|(?:[^\W{SPACELESS}]|[{MARKS}])+")
# Several times as fast, and the same where there is neither.
_PLAIN_TOKEN = re.compile(r"\w+")
# A longer run of letters is a key or a hash; only its beginning is cut into pieces.
_LONGEST_PIECED = 40
_PIECE_LENGTHS = range(2, 6)
# Below 1, because pieces repeat much of what the words say already.
_PIECE_SCALE = np.float32(0.7)
# At most some 20 MB for each model in memory.
_CACHED_TOKENS = 50_000
# Up to this many texts a pair seen once is kept: measured, it is worth 0.002 of accuracy.
_RARE_PAIRS_UP_TO = 50_000
_RARE_PIECES_UP_TO = 2_000

Row: TypeAlias = sp.csr_matrix


def tokens(text: str) -> list[str]:
    pattern = _PLAIN_TOKEN if text.isascii() else TOKEN
    return [token.lower() for token in pattern.findall(text)]


def pieces(token: str) -> list[str]:
    """Every run of 2 to 5 characters in the token, its two ends marked by a blank."""
    padded = f" {token[:_LONGEST_PIECED]} "
    return [
        padded[start : start + length]
        for length in _PIECE_LENGTHS
        for start in range(len(padded) - length + 1)
    ]


@dataclass(frozen=True)
class Features:
    """Fitted vocabularies and weights. Columns: words and pairs first, then pieces.

    A row is two blocks, each tf-idf with 1 + log(count): the words with length 1, the pieces
    with length 0.7. A block in which nothing is known is all zeros.
    """

    words: Mapping[str, int]
    pieces: Mapping[str, int]
    idf: NDArray[np.float32]
    _pieces_of: dict[str, NDArray[np.int32]] = field(default_factory=dict, repr=False)

    @property
    def n_columns(self) -> int:
        return len(self.words) + len(self.pieces)

    @classmethod
    def fit(cls, texts: Sequence[str]) -> tuple[Features, Row]:
        """Learn the columns from the texts; also their rows, so that nothing is counted twice."""
        token_lists = [tokens(text) for text in texts]
        words: dict[str, int] = {}
        for listed in token_lists:
            for term in terms(listed):
                words.setdefault(term, len(words))
        all_pieces: dict[str, int] = {}
        for term in words:
            if " " not in term:
                for piece in pieces(term):
                    all_pieces.setdefault(piece, len(all_pieces))
        whole = cls(words, all_pieces, np.ones(len(words) + len(all_pieces), dtype=np.float32))
        word_counts, words = _prune(
            whole._count_words(token_lists), words, 1 if len(texts) <= _RARE_PAIRS_UP_TO else 2
        )
        piece_counts, kept_pieces = _prune(
            whole._count_pieces(token_lists),
            all_pieces,
            1 if len(texts) <= _RARE_PIECES_UP_TO else 3,
        )
        seen_in = np.concatenate([_document_counts(word_counts), _document_counts(piece_counts)])
        # Smoothed idf, as in Manning, Raghavan, Schuetze (2008), section 6.2, plus one
        # so that a term of every text still counts a little.
        idf = (np.log((1 + len(texts)) / (1 + seen_in)) + 1).astype(np.float32)
        fitted = cls(words, kept_pieces, idf)
        return fitted, fitted._weigh(word_counts, piece_counts)

    def rows(self, texts: Sequence[str]) -> Row:
        """One row a text; shape (n_texts, n_columns), float32."""
        token_lists = [tokens(text) for text in texts]
        return self._weigh(self._count_words(token_lists), self._count_pieces(token_lists))

    def as_if_unseen(self, rows: Row, seen: Row) -> Row:
        """The rows as they would look had only the columns used in `seen` been learnt."""
        known = np.bincount(seen.indices, minlength=self.n_columns) > 0
        left = rows.copy()
        left.data *= known[left.indices]
        left.eliminate_zeros()
        return _stack(left[:, : len(self.words)], left[:, len(self.words) :])

    def columns_of(self, token: str) -> NDArray[np.int32]:
        """Columns of the pieces of one lower-case token, repeated as often as they occur."""
        found = self._pieces_of.get(token)
        if found is None:
            ids = [self.pieces[piece] for piece in pieces(token) if piece in self.pieces]
            found = np.asarray(ids, dtype=np.int32)
            if len(self._pieces_of) >= _CACHED_TOKENS:
                self._pieces_of.clear()
            self._pieces_of[token] = found
        return found

    def _count_words(self, token_lists: Sequence[Sequence[str]]) -> Row:
        known = self.words
        ids = [[known[term] for term in terms(listed) if term in known] for listed in token_lists]
        return _counts(ids, len(known))

    def _count_pieces(self, token_lists: Sequence[Sequence[str]]) -> Row:
        """Token counts times the pieces of each distinct token: far less work than text by text."""
        distinct: dict[str, int] = {}
        for listed in token_lists:
            for token in listed:
                distinct.setdefault(token, len(distinct))
        of_texts = _counts([[distinct[t] for t in listed] for listed in token_lists], len(distinct))
        of_tokens = _counts([self.columns_of(token) for token in distinct], len(self.pieces))
        counted: Row = of_texts @ of_tokens
        return counted

    def _weigh(self, word_counts: Row, piece_counts: Row) -> Row:
        split = len(self.words)
        for counts, idf in ((word_counts, self.idf[:split]), (piece_counts, self.idf[split:])):
            counts.data = (1 + np.log(counts.data)) * idf[counts.indices]
        return _stack(word_counts, piece_counts)


def terms(listed: Sequence[str]) -> Iterable[str]:
    yield from listed
    for left, right in pairwise(listed):
        yield f"{left} {right}"


def _counts(ids: Sequence[Sequence[int] | NDArray[np.int32]], n_columns: int) -> Row:
    lengths = np.fromiter((len(row) for row in ids), dtype=np.int64, count=len(ids))
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    nothing = np.empty(0, dtype=np.int32)
    indices = np.concatenate([nothing, *(np.asarray(row, dtype=np.int32) for row in ids)])
    counts = sp.csr_matrix(
        (np.ones(len(indices), dtype=np.float32), indices, indptr), shape=(len(ids), n_columns)
    )
    counts.sum_duplicates()
    return counts


def _document_counts(counts: Row) -> NDArray[np.int64]:
    return np.bincount(counts.indices, minlength=counts.shape[1])


def _prune(counts: Row, vocabulary: Mapping[str, int], fewest: int) -> tuple[Row, dict[str, int]]:
    """Drop the columns found in fewer than `fewest` texts and number the others anew."""
    kept = np.flatnonzero(_document_counts(counts) >= fewest)
    names = list(vocabulary)
    return counts[:, kept], {names[old]: new for new, old in enumerate(kept)}


def _stack(word_block: Row, piece_block: Row) -> Row:
    normalize(word_block, copy=False)
    normalize(piece_block, copy=False)
    piece_block.data *= _PIECE_SCALE
    stacked: Row = sp.hstack([word_block, piece_block], format="csr")
    return stacked
