"""Decisions of the past, in keyset pages: the thousandth page costs what the first one does."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from review import standing
from review.catalogue import Catalogue
from review.keyset import cursor_of, place_at
from review.models import Batch, DecidedValue, Decision
from review.search import matching
from review.ticket import DecisionLine, with_changes
from review.url_filter import UrlFilter, day, midnight
from triage.models import Ticket

PAGE_SIZE = 50


@dataclass(frozen=True)
class HistoryFilter(UrlFilter):
    """What the history is narrowed to, as the URL has it. `choice` is the key of a main choice.

    Whose decisions: one's own or everybody's, never one other person's.
    """

    q: str = ""
    source: str = ""
    verdict: str = ""
    reviewer: str = ""
    choice: str = ""
    reason: str = ""
    since: str = ""
    until: str = ""

    @property
    def wrong_dates(self) -> list[str]:
        """Dates in the URL that are none; they narrow nothing, and the page says so."""
        return [text for text in (self.since, self.until) if text and day(text) is None]


@dataclass(frozen=True)
class Together:
    """Decisions of one batch that stand on one page; without a batch, a single decision."""

    batch: Batch | None
    lines: list[DecisionLine]

    @property
    def who(self) -> str:
        reviewer = self.lines[0].decision.reviewer
        return reviewer.get_full_name() or reviewer.get_username()


@dataclass(frozen=True)
class HistoryPage:
    lines: list[DecisionLine]
    older: str
    is_first: bool

    @property
    def groups(self) -> list[Together]:
        """A batch stands where its newest decision does, whoever decided in between."""
        groups: list[Together] = []
        of_batch: dict[int, Together] = {}
        for line in self.lines:
            batch = line.decision.batch
            if batch is not None and batch.pk in of_batch:
                of_batch[batch.pk].lines.append(line)
                continue
            groups.append(Together(batch, [line]))
            if batch is not None:
                of_batch[batch.pk] = groups[-1]
        return groups


def history_page(
    chosen: HistoryFilter, choices: Catalogue, *, viewer: User, after: str = ""
) -> HistoryPage:
    """Fifty decisions from a cursor on (`after`, from `older`); a broken cursor means the start."""
    decided = _matching(chosen, choices, viewer)
    place = place_at(after)
    if place is not None:
        at, pk = place
        decided = decided.filter(decided_at__lte=at).exclude(decided_at=at, pk__gte=pk)
    found = with_changes(
        standing.undoable(decided)
        .select_related("reviewer", "reason", "withdrawal__by", "batch", "proposal__ticket__source")
        .defer("proposal__ticket__body", "proposal__ticket__search", "proposal__reply")
        .order_by("-decided_at", "-pk")[: PAGE_SIZE + 1],
        choices,
    )
    shown = found[:PAGE_SIZE]
    older = ""
    if len(found) > PAGE_SIZE:
        last = shown[-1].decision
        older = chosen.url_query(after=cursor_of(last.decided_at, last.pk))
    return HistoryPage(shown, older, place is None)


def _matching(chosen: HistoryFilter, choices: Catalogue, viewer: User) -> QuerySet[Decision]:
    decided = Decision.objects.all()
    if chosen.q:
        decided = decided.filter(
            proposal__ticket__in=Ticket.objects.filter(matching(chosen.q)).only("pk")
        )
    if chosen.source:
        decided = decided.filter(proposal__ticket__source__slug=chosen.source)
    if chosen.verdict:
        decided = decided.filter(verdict=chosen.verdict)
    if chosen.reviewer == "me":
        decided = decided.filter(reviewer=viewer)
    values = DecidedValue.objects.filter(decision=OuterRef("pk"))
    if chosen.choice:
        below = choices.subtree(choices.with_key(chosen.choice, main=True))
        either = Q(final__in=below) | Q(proposed__in=below)
        decided = decided.filter(Exists(values.filter(either)))
    if chosen.reason:
        decided = decided.filter(
            Q(reason__key=chosen.reason) | Exists(values.filter(reason__key=chosen.reason))
        )
    since, until = day(chosen.since), day(chosen.until)
    if since is not None:
        decided = decided.filter(decided_at__gte=midnight(since))
    if until is not None:
        decided = decided.filter(decided_at__lt=midnight(until + timedelta(days=1)))
    return decided
