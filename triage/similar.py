"""Solved tickets that read alike: candidates by their rarest words, order by cosine.

The index is PostgreSQL's own: what is solved is found at once, by every host, and what is erased
is gone from it with the row. `triage_words` (see migrations) turns a ticket into the words that
`similarity.words` finds, each under the source's number, so that sources do not meet in it.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Left
from psycopg.errors import QueryCanceled

from triage import bulk
from triage.learning.similarity import Frequencies, Sought, Weighed, cosine, sought, words
from triage.learning.text import LONGEST_BODY, document
from triage.models import Ticket

logger = logging.getLogger(__name__)

# Found by their rarest words, then compared; the nearest are compared once more.
CANDIDATES, NEAREST, SHOWN = 250, 10, 3
# Of a candidate's body; what a ticket is about stands at its top.
COMPARED = 2_000
LEAST_SIMILARITY = 0.05
# For one ticket; several are asked about in one statement and have as much each.
LONGEST_MS = 200
# Of one word or pair, should there be far more than the sample made us expect.
MOST_ROWS = 1_000

# The newest solved tickets of a source tell how frequent its words are. Tokenising them takes
# some 50 ms, so what they told is kept; while there are fewer they change faster and cost less.
SAMPLED = 3_000
KEPT_SECONDS, KEPT_SECONDS_WHILE_FEW = 600.0, 30.0
MOST_SOURCES_KEPT = 100

# What a word must be to be pointed out to a person: this long, and in no larger share of the
# texts. While few texts are known, shares mean nothing, and only longer words are.
SHORTEST_TELLING, OFTEN, LEAST_SAMPLED, SHORTEST_UNKNOWN = 3, 0.15, 20, 5

# The words bring the source with them. It is written as a sum so that no index of sources, which
# has every ticket, is read beside that of the words.
FIND = """
    SELECT number, id FROM (
        SELECT asked.number, found.id, row_number() OVER (
            PARTITION BY asked.number
            ORDER BY sum(asked.weight) / sqrt(found.octets) DESC, found.id DESC) AS place
        FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::text[], %s::float8[])
            AS asked(number, ticket, source, words, weight)
        CROSS JOIN LATERAL (
            SELECT ticket.id,
                20 + octet_length(ticket.subject) + octet_length(ticket.body) AS octets
            FROM triage_ticket AS ticket
            WHERE triage_words(ticket.source_id, ticket.subject, ticket.body)
                    @@ asked.words::tsquery
                AND ticket.closed_at IS NOT NULL
                AND ticket.source_id + 0 = asked.source AND ticket.id <> asked.ticket
            LIMIT %s) AS found
        GROUP BY asked.number, found.id, found.octets) AS scored
    WHERE place <= %s
    ORDER BY number, place
"""


@dataclass(frozen=True)
class _Ask:
    """A ticket, the text to compare, and what is looked for; nothing where all is frequent."""

    ticket: Ticket
    text: str
    sought: list[Sought]


def solved(asked: Sequence[tuple[Ticket, str]]) -> Iterator[list[dict[str, Any]]]:
    """For each ticket with its document, in order: the three most similar solved tickets of its
    source, as {ticket, similarity}.

    Its rarest words find a few hundred candidates; cosine, by how frequent words are in the
    source, orders these. A text of frequent words alone is compared with the newest ones.
    What tickets that are asked about together have in common is read once; all is in memory.
    """
    frequencies = {pk: _frequencies(pk) for pk in {ticket.source_id for ticket, _ in asked}}
    asks = [_Ask(t, text, sought(text, frequencies[t.source_id])) for t, text in asked]
    candidates = _candidates(asks)
    written = _written(set(chain.from_iterable(candidates)))
    comparers = {pk: _Comparer(found) for pk, found in frequencies.items()}
    for ask, keys in zip(asks, candidates, strict=True):
        # A row may have gone between the two questions.
        texts = {pk: written[pk] for pk in keys if pk in written}
        best = comparers[ask.ticket.source_id].best(ask.text, texts)
        yield [
            {"ticket": pk, "similarity": round(similarity, 3)}
            for similarity, pk in best
            if similarity >= LEAST_SIMILARITY
        ]


class _Comparer:
    """Finds the nearest of a few texts. What tickets have in common is weighed once."""

    def __init__(self, frequencies: Frequencies) -> None:
        self._weigh = lru_cache(4 * CANDIDATES)(frequencies.weigh)

    def best(self, text: str, texts: Mapping[int, tuple[str, str]]) -> list[tuple[float, int]]:
        """Similarity, 0 to 1, and key of the nearest, best first.

        All are compared as they were written, and the best as a model sees them: without what
        they quote, which takes longer.
        """
        asked = self._weigh(text)
        as_written = {pk: f"{subject}\n{body}" for pk, (subject, body) in texts.items()}
        rough = self._ranked(asked, as_written)[:NEAREST]
        return self._ranked(asked, {pk: document(*texts[pk]) for _, pk in rough})[:SHOWN]

    def _ranked(self, asked: Weighed, texts: Mapping[int, str]) -> list[tuple[float, int]]:
        return sorted(
            ((cosine(asked, self._weigh(text)), pk) for pk, text in texts.items()), reverse=True
        )


def _candidates(asks: Sequence[_Ask]) -> list[list[int]]:
    """Primary keys for each, best first. One that takes too long has none; the others have."""
    try:
        with transaction.atomic():
            return _looked_up(asks)
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
    if len(asks) == 1:
        logger.warning("no tickets like %s in %s ms", asks[0].ticket.pk, LONGEST_MS)
        return [[]]
    return [found for ask in asks for found in _candidates([ask])]


def _looked_up(asks: Sequence[_Ask]) -> list[list[int]]:
    rows = [
        (number, ask.ticket.pk, ask.ticket.source_id, _query(ask, one), one.weight)
        for number, ask in enumerate(asks)
        for one in ask.sought
    ]
    found: list[list[int]] = [[] for _ in asks]
    with connection.cursor() as cursor:
        # Compiling such a statement takes longer than running it.
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('jit', 'off', true)",
            [str(LONGEST_MS * len(asks))],
        )
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            cursor.execute(FIND, [*columns, MOST_ROWS, CANDIDATES])
            for number, pk in cursor.fetchall():
                found[number].append(pk)
        for ask, keys in zip(asks, found, strict=True):
            if not ask.sought and ask.text:
                newest = _newest(ask.ticket.source_id).exclude(pk=ask.ticket.pk)
                keys += newest.values_list("pk", flat=True)[:CANDIDATES]
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT; SET LOCAL jit TO DEFAULT")
    return found


def _query(ask: _Ask, one: Sought) -> str:
    # Letters, digits and their marks only, so none of them can be read as an operator.
    return " & ".join(f"{ask.ticket.source_id}x{word}" for word in one.words)


def _newest(source: int) -> QuerySet[Ticket]:
    solved = Ticket.objects.filter(source=source, closed_at__isnull=False, erased_at__isnull=True)
    return solved.order_by("-closed_at")


def _written(keys: set[int]) -> dict[int, tuple[str, str]]:
    """Subject and the beginning of the body of each."""
    rows = Ticket.objects.filter(pk__in=bulk.among(keys), erased_at__isnull=True)
    return {
        pk: (subject, body)
        for pk, subject, body in rows.values_list("pk", "subject", Left("body", COMPARED))
    }


# --- How frequent words are -----------------------------------------------------------------

_kept: dict[int, tuple[float, Frequencies]] = {}


def _frequencies(source: int) -> Frequencies:
    """Of the source's solved tickets, as of some minutes ago at most."""
    until, known = _kept.get(source, (0.0, None))
    now = time.monotonic()
    if known is None or now > until:
        rows = _newest(source).values_list("subject", Left("body", LONGEST_BODY))[:SAMPLED]
        # As they are in the index, with what was quoted and who signed.
        texts = [f"{subject}\n{body}" for subject, body in rows]
        is_few = len(texts) < SAMPLED
        known = Frequencies.of(texts, total=len(texts) if is_few else _about(source))
        if len(_kept) >= MOST_SOURCES_KEPT:
            _kept.clear()
        _kept[source] = (now + (KEPT_SECONDS_WHILE_FEW if is_few else KEPT_SECONDS), known)
    return known


def rare_words(source: int, text: str, most: int) -> list[str]:
    """The rarest words of a text first, as `words` finds them; figures and short ones left out."""
    known = _frequencies(source)
    telling = {word for word in words(text) if _tells(word, known)}
    return sorted(telling, key=lambda word: (known.share(word), -len(word), word))[:most]


def shared_words(source: int, one: str, other: str, most: int) -> list[str]:
    """The rarest words that both texts have; what most texts of the source have is left out."""
    common = " ".join(set(words(one)) & set(words(other)))
    return rare_words(source, common, most)


def _tells(word: str, known: Frequencies) -> bool:
    """Whether a word says something of what a text is about."""
    if not word.isalpha():
        return False
    if known.sampled < LEAST_SAMPLED:
        return len(word) >= SHORTEST_UNKNOWN
    return len(word) >= SHORTEST_TELLING and known.share(word) <= OFTEN


def forget() -> None:
    """What is known of how frequent words are; it is looked up again when it is needed."""
    _kept.clear()


def _about(source: int) -> float:
    """How many there are by the planner's statistics: counting a million takes too long."""
    plan = _newest(source).order_by().explain(format="json")
    return float(json.loads(plan)[0]["Plan"]["Plan Rows"])
