"""Texts that read alike: which of a text's words to look for, and how near others are to it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations

# Of what `document` puts in place of personal data; it says nothing about what a ticket is about.
_PLACEHOLDER = re.compile(r"\b_(?:mail|phone|iban|card|ip|id|secret)_\b")
# Marks that belong to the letter before: Latin, Hebrew and Arabic accents, vowels of the scripts
# of India. Python's \w leaves them out, and with it no word of Hindi would stay whole.
MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0966-\u0dff"
)
# Scripts without blanks between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese.
SPACELESS = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
)
_WORD = re.compile(rf"[{SPACELESS}]+|(?:(?![{SPACELESS}])[^\W_]|[{MARKS}])+")
_IS_SPACELESS = re.compile(rf"[{SPACELESS}]")
# Many times as fast, and the same where there is neither.
_PLAIN_WORD = re.compile(r"[^\W_]{2,}")
_IS_UNUSUAL = re.compile(rf"[{SPACELESS}{MARKS}]")
LONGEST_WORD = 40

# Rows that the words sought may be expected to bring together, and how many words that may be.
ROWS = 2_000
MOST_WORDS, MOST_PAIRS, PAIRED = 16, 6, 6
# Words of a language keep company: two stand together more often than each alone would have it.
COMPANY = 3.0


def words(text: str) -> list[str]:
    """The text's lower-case words of 2 to 40 characters, in order, placeholders left out.

    Where a script sets no blanks between words, each two characters that follow each other count
    as one. The database's function `triage_words` finds the same ones.
    """
    text = text.lower()
    if "_" in text:
        text = _PLACEHOLDER.sub(" ", text)
    if text.isascii() or not _IS_UNUSUAL.search(text):
        return [word for word in _PLAIN_WORD.findall(text) if len(word) <= LONGEST_WORD]
    found: list[str] = []
    for run in _WORD.findall(text):
        if _IS_SPACELESS.match(run):
            found += [run[start : start + 2] for start in range(max(1, len(run) - 1))]
        elif 2 <= len(run) <= LONGEST_WORD:
            found.append(run)
    return found


@dataclass(frozen=True)
class Frequencies:
    """In how many of the `sampled` texts a word was seen, where there are about `total`."""

    sampled: int
    total: float
    seen_in: Mapping[str, int]
    _idf: Mapping[str, float]

    @classmethod
    def of(cls, texts: Iterable[str], total: float) -> Frequencies:
        listed = [set(words(text)) for text in texts]
        n, seen_in = len(listed), Counter(chain.from_iterable(listed))
        idf = {word: math.log((1 + n) / (1 + seen)) + 1 for word, seen in seen_in.items()}
        return cls(n, max(total, n), seen_in, idf)

    def share(self, word: str) -> float:
        """Of all texts, those with the word; a word that was not seen counts as half seen."""
        return max(self.seen_in.get(word, 0), 0.5) / max(self.sampled, 1)

    def idf(self, word: str) -> float:
        """log((1 + n) / (1 + texts with the word)) + 1"""
        return self._idf.get(word, self._of_unseen)

    @cached_property
    def _of_unseen(self) -> float:
        return math.log(1 + self.sampled) + 1

    def weigh(self, text: str) -> Weighed:
        """Words weigh (1 + log count) * idf."""
        idf, of_unseen = self._idf, self._of_unseen
        weights = {
            word: idf.get(word, of_unseen) * (1 + math.log(count) if count > 1 else 1)
            for word, count in Counter(words(text)).items()
        }
        return Weighed(weights, math.sqrt(sum([one * one for one in weights.values()])))


@dataclass(frozen=True)
class Weighed:
    """What each word of a text weighs, and the length of all of them together."""

    weights: Mapping[str, float]
    length: float


def cosine(one: Weighed, other: Weighed) -> float:
    """How near two texts are, 0 to 1; 0 where no word is shared."""
    shared = one.weights.keys() & other.weights.keys()
    if not shared:
        return 0.0
    product = sum([one.weights[word] * other.weights[word] for word in shared])
    # Rounding may lead past 1.
    return min(1.0, product / (one.length * other.length))


@dataclass(frozen=True)
class Sought:
    """Words that a text has to have all of, and what finding them counts."""

    words: tuple[str, ...]
    weight: float


def sought(text: str, frequencies: Frequencies) -> list[Sought]:
    """What to look for so that few texts have any of it and the nearest have much of it.

    The rarest words first, and of the frequent ones pairs, as long as about 2,000 texts are
    expected to be found. Nothing if no word is rare enough for that.
    """
    # Of equally rare words the longer is the rarer.
    ranked = sorted(set(words(text)), key=lambda word: (frequencies.share(word), -len(word), word))
    left, found = float(ROWS), []
    for word in ranked[:MOST_WORDS]:
        expected = frequencies.share(word) * frequencies.total
        if expected > left:
            break
        found.append(Sought((word,), frequencies.idf(word)))
        left -= expected
    frequent = ranked[len(found) : len(found) + PAIRED]
    shares = {
        pair: COMPANY * frequencies.share(pair[0]) * frequencies.share(pair[1])
        for pair in combinations(frequent, 2)
    }
    for pair in sorted(shares, key=shares.__getitem__)[:MOST_PAIRS]:
        expected = shares[pair] * frequencies.total
        if expected > left:
            break
        found.append(Sought(pair, sum(map(frequencies.idf, pair))))
        left -= expected
    return found
