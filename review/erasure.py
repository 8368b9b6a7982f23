"""Erasing a requester's words everywhere: triage's rows and files, and what reviewers wrote."""

from collections.abc import Callable, Collection

from django.contrib.auth.models import User
from django.db.models import QuerySet

from review.models import Decision, Skip
from triage import erasure
from triage.erasure import Report, Whose

COMMENTS = "comments on decisions"
SKIPS = "words on tickets left to others"


def preview(whose: Whose) -> Report:
    """What `erase` would change; nothing is changed."""
    return erasure.preview(whose, also=_counted)


def erase(
    whose: Whose, *, by: User | None, tell: Callable[[str], None] = erasure.silence
) -> Report:
    """As triage.erasure.erase, with the words that reviewers wrote on decisions and on skips."""
    return erasure.erase(whose, by=by, also=_without_comments, tell=tell)


def _comments(tickets: Collection[int]) -> QuerySet[Decision]:
    return Decision.objects.filter(proposal__ticket__in=tickets).exclude(text="")


def _skips(tickets: Collection[int]) -> QuerySet[Skip]:
    return Skip.objects.filter(proposal__ticket__in=tickets).exclude(text="")


def _counted(tickets: Collection[int]) -> dict[str, int]:
    return {COMMENTS: _comments(tickets).count(), SKIPS: _skips(tickets).count()}


def _without_comments(tickets: Collection[int]) -> dict[str, int]:
    return {
        COMMENTS: _comments(tickets).update(text=""),
        SKIPS: _skips(tickets).update(text=""),
    }
