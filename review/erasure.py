"""Erasing a requester's words everywhere: triage's rows and files, and what reviewers wrote."""

from collections.abc import Callable, Collection
from urllib.parse import quote_plus

from django.contrib.auth.models import User
from django.db.models import Case, QuerySet, Value, When
from django.http import QueryDict

from review.models import Concern, Decision, Drill, SavedView, SecondLook, Skip
from review.queue_filter import QueueFilter
from triage import erasure
from triage.erasure import Report, Whose

COMMENTS = "comments on decisions"
VIEWS = "saved views that name the requester"
SKIPS = "words on tickets left to others"
CONCERNS = "concerns about tickets"
DRILLS = "drills with tickets"
# An answered concern has an answer, and that may tell what the ticket said.
GONE = "(erased)"


def preview(whose: Whose) -> Report:
    """What `erase` would change; nothing is changed."""

    def counted(tickets: Collection[int]) -> dict[str, int]:
        return {
            COMMENTS: _comments(tickets).count(),
            SKIPS: _skips(tickets).count(),
            CONCERNS: _concerns(tickets).count(),
            DRILLS: _drills(tickets).count(),
            VIEWS: len(_views(whose)),
        }

    return erasure.preview(whose, also=counted)


def erase(
    whose: Whose, *, by: User | None, tell: Callable[[str], None] = erasure.silence
) -> Report:
    """As triage.erasure.erase, with the words that reviewers wrote on decisions, on skips and
    in concerns, with the views that look for the requester, and with drills on the tickets.
    """

    def removed(tickets: Collection[int]) -> dict[str, int]:
        views = SavedView.objects.filter(pk__in=_views(whose))
        # Nobody can look any more, and no words of anybody are in them to be counted.
        SecondLook.objects.filter(check_of__proposal__ticket__in=tickets).delete()
        return {
            COMMENTS: _comments(tickets).update(text=""),
            SKIPS: _skips(tickets).update(text=""),
            CONCERNS: _without_words(_concerns(tickets)),
            DRILLS: _removed(_drills(tickets)),
            VIEWS: views.delete()[0],
        }

    return erasure.erase(whose, by=by, also=removed, tell=tell)


def _comments(tickets: Collection[int]) -> QuerySet[Decision]:
    return Decision.objects.filter(proposal__ticket__in=tickets).exclude(text="")


def _skips(tickets: Collection[int]) -> QuerySet[Skip]:
    return Skip.objects.filter(proposal__ticket__in=tickets).exclude(text="")


def _concerns(tickets: Collection[int]) -> QuerySet[Concern]:
    return Concern.objects.filter(ticket__in=tickets).exclude(text=GONE, answer__in=["", GONE])


def _drills(tickets: Collection[int]) -> QuerySet[Drill]:
    return Drill.objects.filter(proposal__ticket__in=tickets)


def _removed(drills: QuerySet[Drill]) -> int:
    """With their answers, which are not counted here."""
    return drills.delete()[1].get(Drill._meta.label, 0)


def _without_words(concerns: QuerySet[Concern]) -> int:
    erased = Case(When(answer="", then=Value("")), default=Value(GONE))
    return concerns.update(text=GONE, answer=erased)


def _views(whose: Whose) -> list[int]:
    """Those that narrow the queue to the address, or search for it."""
    if not whose.address:
        return []
    # Another address may end like this one, so what was found is read.
    found = SavedView.objects.filter(query__icontains=quote_plus(whose.address))
    return [view.pk for view in found if whose.address in _named(view.query)]


def _named(query: str) -> set[str]:
    chosen = QueueFilter.read(QueryDict(query))
    words = (word.strip("\"'-") for word in chosen.q.lower().split())
    return {chosen.requester.lower(), *words}
