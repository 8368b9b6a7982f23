"""Sentence vectors that are made once in a process, however often texts are split anew."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from hashlib import sha256

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from triage.learning import semantic, vectors
from triage.learning.second import Encoder, Vectors

_AT_ONCE = 1_024


class MadeOnce:
    """An encoder that keeps all the vectors it made, by the text's hash, in half precision.

    Vectors differ by a hair with the texts that they were made together with, so all of a set
    are to be learnt at once: then figures hang on the seed and on nothing else.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.sha256 = encoder.sha256
        self.bare = encoder
        self._kept: dict[bytes, NDArray[np.float16]] = {}
        self._seconds: dict[bytes, float] = {}

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.learn(texts)
        return np.array([self._kept[_key(text)] for text in texts], dtype=np.float32)

    def learn(self, texts: Sequence[str], progress: Callable[[int], object] | None = None) -> None:
        """Make the vectors that are missing; `progress` gets the number of texts just done."""
        for start in range(0, len(texts), _AT_ONCE):
            some = texts[start : start + _AT_ONCE]
            missing = {_key(text): text for text in some if _key(text) not in self._kept}
            if missing:
                began = time.perf_counter()
                made = self.bare.encode(list(missing.values())).astype(np.float16)
                each = (time.perf_counter() - began) / len(missing)
                for key, vector in zip(missing, made, strict=True):
                    self._kept[key], self._seconds[key] = vector, each
            if progress:
                progress(len(some))

    def lacks(self, texts: Sequence[str]) -> bool:
        return any(_key(text) not in self._kept for text in texts)

    def seconds(self, texts: Sequence[str]) -> float:
        """What making the vectors of these texts took, whenever that was."""
        return sum(self._seconds.get(_key(text), 0.0) for text in texts)


def encoder(threads: int | None) -> Encoder | None:
    """The service's encoder, with its number of threads where none is given; None without one.

    Raises EncoderRefused for files that are not what they should be.
    """
    files = vectors.files()
    if files is None:
        return None
    return semantic.load(files, threads=threads or settings.SEMANTIC_THREADS)


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
