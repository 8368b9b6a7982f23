"""What waits for a person, in the order in which it should be looked at."""

from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from review.catalogue import PRIORITY, TEAM, Catalogue
from review.lag import Lag, lag
from review.place import Place, place_of, worth_of
from review.queue_filter import (
    BLIND,
    KINDS,
    UNSURE_FROM,
    Chip,
    QueueFilter,
    by_columns,
    chips,
    unknown,
)
from review.saved_views import Tab, tabs_of
from review.search import matching
from review.skips import times_skipped, unskipped
from triage.models import ModelVersion, Source, Ticket, Waiting
from triage.policy.worth import NOVEL_BADGE_FROM

__all__ = [
    "QueueFilter",
    "QueuePage",
    "Row",
    "ahead_of",
    "from_on",
    "queue_page",
    "row_of",
    "waiting",
]

PAGE_SIZE = 25
# Nobody reads further; counting on would cost more, the more waits.
COUNTED_UPTO = 1_000


@dataclass(frozen=True)
class Row:
    waiting: Waiting
    category: str
    priority: str
    badge: str
    due: datetime
    skipped: int


@dataclass(frozen=True)
class QueuePage:
    """`number` counts from 1; 0: from the open ticket on, which stands beyond what is counted.

    `total` ends at COUNTED_UPTO + 1, which means more than COUNTED_UPTO.
    """

    rows: list[Row]
    total: int
    number: int
    filter: QueueFilter
    chips: list[Chip]
    unknown: list[str]
    sources: list[Source]
    categories: list[tuple[str, str]]
    priorities: list[tuple[str, str]]
    teams: list[tuple[str, str]]
    lag: Lag
    place: Place | None = None
    tabs: list[Tab] = field(default_factory=list)
    has_model: bool = True

    @property
    def pages(self) -> int:
        return max(1, ceil(min(self.total, COUNTED_UPTO) / PAGE_SIZE))

    @property
    def source_options(self) -> list[tuple[str, str]]:
        return [(source.slug, source.name) for source in self.sources]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return [(key, str(name)) for key, name in KINDS.items()]

    @property
    def is_saved(self) -> bool:
        return any(tab.is_current for tab in self.tabs)

    @property
    def everything(self) -> str:
        """The query of the whole queue, which a person with a default view has to ask for."""
        return "?everything=1" if any(tab.is_default for tab in self.tabs) else ""

    @property
    def is_cut(self) -> bool:
        """Whether this is the last page that can be turned to, though more waits."""
        return self.total > COUNTED_UPTO and self.number in (0, self.pages)

    @property
    def first(self) -> int:
        return (self.number - 1) * PAGE_SIZE + 1 if self.number else COUNTED_UPTO + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def waiting(chosen: QueueFilter, choices: Catalogue) -> QuerySet[Waiting]:
    """What waits and matches: held first, then by when a person should look."""
    rows = by_columns(Waiting.objects.order_by("-is_held", "look_by", "proposal"), chosen)
    if chosen.source:
        named = Source.objects.filter(slug__in=chosen.source).values("pk")
        # One source is a constant for the planner, which then walks the source's own index.
        only = len(chosen.source) == 1
        rows = rows.filter(source=named[:1]) if only else rows.filter(source__in=named)
    if chosen.category:
        roots = [one for key in chosen.category for one in choices.with_key(key, main=True)]
        rows = rows.filter(BLIND | Q(main_choice_id__in=choices.subtree(roots)))
    for name, keys in ((PRIORITY, chosen.priority), (TEAM, chosen.team)):
        if keys:
            roots = [one for key in keys for one in choices.with_key(key, field=name)]
            rows = rows.filter(BLIND | Q(choices__overlap=list(choices.subtree(roots))))
    if chosen.requester:
        # With the sources named, the index by requester serves.
        by = Ticket.objects.filter(
            source__in=Source.objects.values("pk"), requester=chosen.requester.lower()
        )
        rows = rows.filter(ticket__in=by.values("pk"))
    if chosen.q:
        rows = rows.filter(ticket__in=Ticket.objects.filter(matching(chosen.q)).values("pk"))
    return rows


def ahead_of(row: Waiting) -> Q:
    """Matches what is looked at before `row`."""
    same_hold = Q(is_held=row.is_held)
    return (
        Q(is_held__gt=row.is_held)
        | same_hold & Q(look_by__lt=row.look_by)
        | same_hold & Q(look_by=row.look_by, proposal__lt=row.proposal_id)
    )


def from_on(row: Waiting) -> Q:
    """Matches `row` and what is looked at after it, in words that the index of the order knows.

    That it is not ahead of `row` would be read off every row from the first one on.
    """
    later = Q(look_by__gt=row.look_by) | Q(look_by=row.look_by, proposal__gte=row.proposal_id)
    if row.is_held:
        return Q(is_held=False) | Q(is_held=True) & later
    return Q(is_held=False, look_by__gte=row.look_by) & later


def counted(rows: QuerySet[Waiting]) -> int:
    """How many there are, up to one more than COUNTED_UPTO."""
    return rows.order_by()[: COUNTED_UPTO + 1].count()


def queue_page(
    chosen: QueueFilter,
    choices: Catalogue,
    *,
    viewer: User | None = None,
    number: int = 0,
    showing: Waiting | None = None,
    done: Waiting | None = None,
) -> QueuePage:
    """One page of the queue in a fixed number of queries, whatever waits.

    `number` counts from 1; 0 means the page on which `showing` stands, else the first. A page
    past the end is answered with the last one. What `viewer` left to others is not there, nor
    is `done`, which is about to be decided.
    """
    matched = waiting(chosen, choices)
    if viewer is not None:
        matched = unskipped(matched, viewer)
    if done is not None:
        matched = matched.exclude(proposal=done.proposal_id)
    total = counted(matched)
    found, number = _page(matched, total, number, showing)
    sources = choices.sources
    return QueuePage(
        rows=[row_of(row, choices) for row in found],
        total=total,
        number=number,
        filter=chosen,
        chips=chips(chosen, choices, sources),
        unknown=unknown(chosen, choices, sources),
        sources=sources,
        categories=choices.options(main=True),
        priorities=choices.options(field=PRIORITY),
        teams=choices.options(field=TEAM),
        lag=lag(),
        place=place_of(showing, choices) if showing and showing.blind_at is None else None,
        tabs=tabs_of(viewer, chosen) if viewer is not None else [],
        has_model=any(row.main_choice_id for row in found) or _has_model(),
    )


def _page(
    matched: QuerySet[Waiting], total: int, number: int, showing: Waiting | None
) -> tuple[list[Waiting], int]:
    """The rows of one page, and its number."""
    last = max(1, ceil(min(total, COUNTED_UPTO) / PAGE_SIZE))
    wanted = number
    if not number and showing is not None:
        ahead = counted(matched.filter(ahead_of(showing)))
        if ahead >= COUNTED_UPTO:
            here = _loaded(matched.filter(from_on(showing))[:PAGE_SIZE])
            return (here, 0) if here and here[0] == showing else _page(matched, total, 1, None)
        wanted = ahead // PAGE_SIZE + 1
    wanted = min(max(wanted, 1), last)
    start = (wanted - 1) * PAGE_SIZE
    found = _loaded(matched[start : start + PAGE_SIZE]) if total else []
    if not number and showing is not None and wanted > 1 and showing not in found:
        # The open ticket does not match the filter: the list begins at its beginning.
        return _page(matched, total, 1, None)
    return found, wanted


def _loaded(page: QuerySet[Waiting]) -> list[Waiting]:
    # Not the body: it may have a quarter of a megabyte.
    return list(
        page.select_related("ticket")
        .only(
            *(field.attname for field in Waiting._meta.concrete_fields),
            "ticket__subject",
            "ticket__external_id",
            "ticket__requester",
            "ticket__requester_name",
        )
        .annotate(skipped=times_skipped())
    )


def row_of(row: Waiting, choices: Catalogue) -> Row:
    given = (choices.by_pk.get(pk) for pk in row.choices)
    priority = next((one.pk for one in given if one and one.field.key == PRIORITY), None)
    return Row(
        waiting=row,
        category=choices.path(row.main_choice_id) if row.blind_at is None else "",
        priority=choices.path(priority) if row.blind_at is None else "",
        badge=_badge(row),
        due=worth_of(row).due(row.since),
        skipped=getattr(row, "skipped", None) or 0,
    )


def _badge(row: Waiting) -> str:
    if row.blind_at is not None:
        return "blind"
    if row.is_held:
        return "hold"
    if row.main_choice_id is None:
        return "open"
    if row.novelty >= NOVEL_BADGE_FROM:
        return "novel"
    if row.uncertainty > UNSURE_FROM:
        return "unsure"
    return "playbook" if row.with_playbook else "suggest"


def _has_model() -> bool:
    """Asked only where no row of a page has a main value, which is rare once there is a model."""
    return ModelVersion.objects.filter(
        state=ModelVersion.State.CHAMPION, field__is_main=True
    ).exists()
