"""What waits for a person, in the order in which it should be looked at."""

from dataclasses import dataclass, replace
from math import ceil

from django.contrib.auth.models import User
from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q, QuerySet

from review.catalogue import PRIORITY, TEAM, Catalogue
from review.skips import times_skipped, unskipped
from review.url_filter import UrlFilter
from triage.models import ProposedValue, Source, Waiting

PAGE_SIZE = 25
# Above this the page says that the model is unsure rather than that it suggests.
UNSURE_FROM = 0.5


@dataclass(frozen=True)
class QueueFilter(UrlFilter):
    """What the queue is narrowed to. It lives in the URL; choices are named by their keys."""

    source: str = ""
    category: str = ""
    priority: str = ""
    team: str = ""
    held: str = ""
    q: str = ""

    @property
    def query(self) -> str:
        """As a query string, `?` included; empty when nothing is narrowed."""
        return "" if self.is_empty else self.url_query()

    def without(self, name: str) -> "QueueFilter":
        return replace(self, **{name: ""})


@dataclass(frozen=True)
class Row:
    waiting: Waiting
    category: str
    priority: str
    badge: str
    skipped: int


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the URL query without it."""

    name: str
    label: str
    query: str


@dataclass(frozen=True)
class QueuePage:
    rows: list[Row]
    total: int
    number: int
    filter: QueueFilter
    chips: list[Chip]
    sources: list[Source]
    categories: list[tuple[str, str]]
    priorities: list[tuple[str, str]]
    teams: list[tuple[str, str]]

    @property
    def pages(self) -> int:
        return max(1, ceil(self.total / PAGE_SIZE))

    @property
    def first(self) -> int:
        return (self.number - 1) * PAGE_SIZE + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def waiting(chosen: QueueFilter, choices: Catalogue) -> QuerySet[Waiting]:
    """What waits and matches: held first, then by when a person should look."""
    rows = Waiting.objects.order_by("-is_held", "look_by", "proposal")
    if chosen.source:
        rows = rows.filter(source__slug=chosen.source)
    if chosen.category:
        below = choices.subtree(choices.with_key(chosen.category, main=True))
        rows = rows.filter(main_choice_id__in=below)
    for field, key in ((PRIORITY, chosen.priority), (TEAM, chosen.team)):
        if key:
            below = choices.subtree(choices.with_key(key, field=field))
            proposed = ProposedValue.objects.filter(
                proposal=OuterRef("proposal"), choice_id__in=below
            )
            rows = rows.filter(Exists(proposed))
    if chosen.held:
        rows = rows.filter(is_held=True)
    if chosen.q:
        words = SearchQuery(chosen.q, config="simple", search_type="websearch")
        rows = rows.filter(
            Q(ticket__search=words) | Q(ticket__external_id=chosen.q.removeprefix("#"))
        )
    return rows


def ahead_of(row: Waiting) -> Q:
    """Matches what is looked at before `row`."""
    same_hold = Q(is_held=row.is_held)
    return (
        Q(is_held__gt=row.is_held)
        | same_hold & Q(look_by__lt=row.look_by)
        | same_hold & Q(look_by=row.look_by, proposal__lt=row.proposal_id)
    )


def queue_page(
    chosen: QueueFilter,
    choices: Catalogue,
    *,
    number: int = 0,
    showing: Waiting | None = None,
    person: User | None = None,
    done: Waiting | None = None,
) -> QueuePage:
    """One page of the queue in a fixed number of queries.

    `number` counts from 1; 0 means the page on which `showing` stands, else the first. A page
    past the end is answered with the last one. What `person` left to others is not there, nor
    is `done`, which is about to be decided.
    """
    rows = waiting(chosen, choices)
    if person is not None:
        rows = unskipped(rows, person)
    if done is not None:
        rows = rows.exclude(proposal=done.proposal_id)
    total = rows.count()
    if not number and showing is not None and rows.filter(pk=showing.pk).exists():
        number = rows.filter(ahead_of(showing)).count() // PAGE_SIZE + 1
    number = min(max(number, 1), max(1, ceil(total / PAGE_SIZE)))
    start = (number - 1) * PAGE_SIZE
    sources = list(Source.objects.only("slug", "name"))
    return QueuePage(
        rows=_rows(rows[start : start + PAGE_SIZE], choices) if total else [],
        total=total,
        number=number,
        filter=chosen,
        chips=_chips(chosen, choices, sources),
        sources=sources,
        categories=choices.options(main=True),
        priorities=choices.options(field=PRIORITY),
        teams=choices.options(field=TEAM),
    )


def _rows(page: QuerySet[Waiting], choices: Catalogue) -> list[Row]:
    # Not the body: it may have a quarter of a megabyte.
    loaded = page.select_related("ticket", "proposal", "source").only(
        *(field.attname for field in Waiting._meta.concrete_fields),
        "ticket__subject",
        "ticket__external_id",
        "ticket__requester",
        "ticket__requester_name",
        "proposal__playbook_id",
        "source__name",
    )
    found = list(loaded.annotate(skipped=times_skipped()))
    priorities = dict(
        ProposedValue.objects.filter(
            proposal_id__in=[row.proposal_id for row in found],
            field__key=PRIORITY,
            choice__isnull=False,
        ).values_list("proposal_id", "choice_id")
    )
    return [
        Row(
            waiting=row,
            category=choices.path(row.main_choice_id),
            priority=choices.path(priorities.get(row.proposal_id)),
            badge=_badge(row),
            skipped=row.skipped or 0,
        )
        for row in found
    ]


def _badge(row: Waiting) -> str:
    if row.is_held:
        return "hold"
    if row.main_choice_id is None:
        return "open"
    if row.uncertainty > UNSURE_FROM:
        return "unsure"
    return "playbook" if row.proposal.playbook_id else "suggest"


def _chips(chosen: QueueFilter, choices: Catalogue, sources: list[Source]) -> list[Chip]:
    labels = {
        "source": {source.slug: source.name for source in sources},
        "category": dict(choices.options(main=True)),
        "priority": dict(choices.options(field=PRIORITY)),
        "team": dict(choices.options(field=TEAM)),
    }
    return [
        Chip(name, labels.get(name, {}).get(value, value), chosen.without(name).query)
        for name, value in vars(chosen).items()
        if value
    ]
