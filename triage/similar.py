"""Solved tickets that read alike: candidates by full text, order by cosine."""

from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q

from triage.learning.similarity import rank
from triage.learning.text import document, tokens_for_search
from triage.models import Ticket

CANDIDATES = 50
SHOWN = 3
LEAST_SIMILARITY = 0.05
QUERY_WORDS = 12


def solved(ticket: Ticket, text: str) -> list[dict[str, Any]]:
    """The three most similar solved tickets of the source, as {ticket, similarity}.

    The longest words pick the newest candidates that share any of them; cosine then orders
    these, so a perfect twin older than 50 looser matches can be missed.
    """
    words = tokens_for_search(text)[:QUERY_WORDS]
    if not words:
        return []
    query = SearchQuery(words[0], config="simple")
    for word in words[1:]:
        query = query | SearchQuery(word, config="simple")
    candidates = list(
        Ticket.objects.filter(Q(search=query), source=ticket.source_id, closed_at__isnull=False)
        .exclude(pk=ticket.pk)
        # Not the search vector, which is longer than the text.
        .only("subject", "body")
        .order_by("-closed_at")[:CANDIDATES]
    )
    if not candidates:
        return []
    scores = rank(text, [document(other.subject, other.body) for other in candidates])
    best = sorted(zip(scores, candidates, strict=True), key=lambda pair: -pair[0])[:SHOWN]
    return [
        {"ticket": other.pk, "similarity": round(float(score), 3)}
        for score, other in best
        if score >= LEAST_SIMILARITY
    ]
