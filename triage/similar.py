"""Solved tickets that read alike: candidates by full text, order by cosine."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q

from triage import bulk
from triage.learning.similarity import Comparison, Counted
from triage.learning.text import document, tokens_for_search
from triage.models import Ticket

CANDIDATES = 50
SHOWN = 3
LEAST_SIMILARITY = 0.05
QUERY_WORDS = 12


def solved(asked: Sequence[tuple[Ticket, str]]) -> Iterator[list[dict[str, Any]]]:
    """For each ticket with its document, in order: the three most similar solved tickets of its
    source, as {ticket, similarity}.

    The longest words pick the newest candidates that share any of them; cosine then orders
    these, so a perfect twin older than 50 looser matches can be missed. Tickets that are asked
    about together have many candidates in common, each read once; all are held in memory.
    """
    candidates = [_candidates(ticket, text) for ticket, text in asked]
    comparison = Comparison()
    counted = _counted(comparison, set(chain.from_iterable(candidates)))
    for (_, text), found in zip(asked, candidates, strict=True):
        # A row may have gone between the two questions.
        yield _best(comparison, text, {pk: counted[pk] for pk in found if pk in counted})


def _candidates(ticket: Ticket, text: str) -> list[int]:
    words = tokens_for_search(text)[:QUERY_WORDS]
    if not words:
        return []
    # Letters and digits only, so none of them can be read as an operator.
    query = SearchQuery(" | ".join(words), search_type="raw", config="simple")
    found = Ticket.objects.filter(
        Q(search=query), source=ticket.source_id, closed_at__isnull=False
    ).exclude(pk=ticket.pk)
    return list(found.order_by("-closed_at").values_list("pk", flat=True)[:CANDIDATES])


def _counted(comparison: Comparison, keys: set[int]) -> dict[int, Counted]:
    rows = Ticket.objects.filter(pk__in=bulk.among(keys)).values_list("pk", "subject", "body")
    return {pk: comparison.count(document(subject, body)) for pk, subject, body in rows}


def _best(
    comparison: Comparison, text: str, candidates: dict[int, Counted]
) -> list[dict[str, Any]]:
    scores = comparison.rank(comparison.count(text), list(candidates.values()))
    best = sorted(zip(scores, candidates, strict=True), key=lambda pair: -pair[0])[:SHOWN]
    return [
        {"ticket": pk, "similarity": round(float(score), 3)}
        for score, pk in best
        if score >= LEAST_SIMILARITY
    ]
