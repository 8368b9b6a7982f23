"""Solved tickets by the hundred thousand: made up, copied into the table, and asked about."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import connection
from django.utils import timezone

from bench.speed.setting import Setting
from triage.models import Ticket

SEED = 20
CHUNK = 10_000
# Of what a ticket says, some is a real one's and the rest a vocabulary as large as a company's.
VOCABULARY, FLATTER, STEEPNESS = 60_000, 15, 1.25
LETTERS = "etaoinshrdlucmfwypvbgk"
WORDS_MEDIAN, WORDS_SIGMA, WORDS_RANGE = 3.0, 0.7, (4, 250)
# Of a ticket's words, those a twin of it has too.
KEPT_IN_TWIN = 0.66
COLUMNS = (
    "source_id, external_id, version, subject, body, requester, requester_name, url, values, "
    "opened_at, closed_at, reopened_count, resolution, received_at"
)


class Writer:
    """Writes texts: a piece of a real ticket and words by Zipf's law. The same at every run."""

    def __init__(self, setting: Setting) -> None:
        self._rng = np.random.default_rng(SEED)
        self._corpus = setting.corpus
        lengths = self._rng.integers(3, 11, VOCABULARY)
        self._vocabulary = ["".join(self._rng.choice(list(LETTERS), size)) for size in lengths]
        weights = 1 / (np.arange(VOCABULARY) + FLATTER) ** STEEPNESS
        self._sums = np.cumsum(weights / weights.sum())

    def texts(self, count: int) -> Iterator[tuple[str, str]]:
        """Subject and body of each."""
        rng = self._rng
        sizes = np.clip(rng.lognormal(WORDS_MEDIAN, WORDS_SIGMA, count).astype(int), *WORDS_RANGE)
        drawn = np.searchsorted(self._sums, rng.random(int(sizes.sum())))
        drawn = np.minimum(drawn, VOCABULARY - 1)
        for size, end in zip(sizes, np.cumsum(sizes), strict=True):
            own = [self._vocabulary[word] for word in drawn[end - size : end]]
            real = self._corpus.at(int(rng.integers(len(self._corpus.fresh))))
            words = real.body.split()
            first = int(rng.integers(len(words) + 1))
            yield real.subject, " ".join([*words[first : first + size], *own])

    def twin(self, text: str) -> str:
        """Most of its words, in order: what another person writes of the same."""
        return " ".join(word for word in text.split() if self._rng.random() < KEPT_IN_TWIN)

    def some(self, keys: list[int], count: int) -> list[int]:
        return [int(key) for key in self._rng.choice(keys, min(count, len(keys)), replace=False)]


def copy(writer: Writer, source: int, first: int, count: int) -> None:
    """More solved tickets of the source, each closed a minute after the one before."""
    now = timezone.now()
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY triage_ticket ({COLUMNS}) FROM STDIN") as rows,
    ):
        for start in range(first, first + count, CHUNK):
            size = min(CHUNK, first + count - start)
            for number, (subject, body) in enumerate(writer.texts(size), start):
                at = now - timedelta(days=700) + timedelta(minutes=number)
                rows.write_row(_row(source, number, subject[:300], body, at))


def _row(source: int, number: int, subject: str, body: str, at: Any) -> tuple[Any, ...]:
    written = (source, f"solved-{source}-{number}", 1, subject, body)
    return (*written, "ann@bench.example", "Ann", "", "{}", at, at, 0, "Solved.", at)


@contextmanager
def without_word_indexes() -> Iterator[None]:
    """Building an index once takes a tenth of the time that keeping it up to date takes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE %s",
            [Ticket._meta.db_table, "% USING gin %"],
        )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f"DROP INDEX {name}")
        yield
        cursor.execute("SET maintenance_work_mem = '256MB'")
        for _, definition in found:
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE triage_ticket")
