"""Texts a second of several sides, measured in turn on the same texts within one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

from threadpoolctl import threadpool_limits

Answer = Callable[[Sequence[str]], object]
"""Answers texts in one call."""

Speeds = Mapping[str, Sequence[float]]
"""Texts a second of each side, one figure a round."""


def rounds(texts: Sequence[str], each: int, count: int) -> list[list[str]]:
    """`count` lists of `each` texts (or of all, if fewer), as different as there are texts for."""
    size = min(each, len(texts))
    return [
        [texts[place % len(texts)] for place in range(start, start + size)]
        for start in range(0, size * count, size)
    ]


def in_turn(
    sides: Mapping[str, Answer],
    parts: Sequence[Sequence[str]],
    *,
    singly: bool,
    done: Callable[[], object],
) -> Speeds:
    """Every side answers each part, whole or text by text; who begins takes turns.

    Only what is measured within the same seconds can be compared on a busy machine. Each round
    has texts of its own, so that no side profits from having seen them. One thread.
    """
    found: dict[str, list[float]] = {name: [] for name in sides}
    with threadpool_limits(1):
        for answer in sides.values():
            answer(parts[-1][:5])
        for number, part in enumerate(parts):
            for name in _turned(list(sides), number):
                began = time.perf_counter()
                for texts in [[text] for text in part] if singly else [part]:
                    sides[name](texts)
                found[name].append(len(part) / (time.perf_counter() - began))
                done()
    return found


def typical(speeds: Sequence[float]) -> float:
    return median(speeds)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median over the rounds of how many times as fast ours is."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def _turned(names: list[str], number: int) -> Iterator[str]:
    first = number % len(names)
    yield from names[first:] + names[:first]
