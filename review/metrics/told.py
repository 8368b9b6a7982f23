"""The reader of stories: from rows on record to one TicketStory a ticket."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Exists, F, FilteredRelation, OuterRef, Q

from review.metrics.aggregates import QuarterOf
from review.metrics.stories import Happening, Story, story
from review.metrics.window import Scope
from review.models import StoryPath, TicketStory
from triage import bulk
from triage.models import (
    Choice,
    Effect,
    Label,
    Playbook,
    Proposal,
    Ticket,
    TicketEvent,
    TicketVersion,
)

CHUNK = 1000
DAY_SECONDS = 86_400
LONG_AGO = datetime.min.replace(tzinfo=UTC)
KEPT = tuple(one.attname for one in TicketStory._meta.concrete_fields if not one.primary_key)
DAY = KEPT.index("day")
# A closing that the helpdesk did not take was not the playbook's.
FAILED = (
    Effect.State.CONFLICT,
    Effect.State.REFUSED,
    Effect.State.SKIPPED,
    Effect.State.DROPPED,
)


class Word(NamedTuple):
    """A proposal that people could see, and what was said of it; `final` where a person did."""

    ticket: int
    at: datetime
    route: str
    verdict: str | None
    decided_at: datetime | None
    main: int | None
    final: int | None
    version: int | None
    check: int | None
    closes: bool

    @property
    def path(self) -> str:
        """As cohorts.settled has it: a check of what was applied is not what settled it."""
        is_auto = self.route == Proposal.Route.AUTO
        if is_auto and (self.check is not None or self.verdict is None):
            return StoryPath.AUTO
        is_settled = self.verdict in (StoryPath.ACCEPTED, StoryPath.OVERRIDDEN)
        return self.verdict if self.verdict and is_settled else StoryPath.UNSETTLED

    @property
    def filed(self) -> tuple[datetime, int] | None:
        """The main value that it set, and when."""
        if self.path == StoryPath.UNSETTLED:
            return None
        if self.final is not None:
            return self.decided_at or self.at, self.final
        # A person may have taken the value away.
        if self.main is None or self.path == StoryPath.OVERRIDDEN:
            return None
        return self.at, self.main


@dataclass
class Record:
    """All that is on record of one ticket and that its story needs; choices by primary key."""

    opened_at: datetime
    happenings: list[Happening] = field(default_factory=list)
    filed: list[tuple[datetime, int]] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    # Of imported history the values are the last, not the first.
    has_history: bool = False
    first: Mapping[str, Any] = field(default_factory=dict)

    @property
    def settled(self) -> Word | None:
        """The last proposal that was settled, else the last of all."""
        by_rank = ([w for w in self.words if w.path != StoryPath.UNSETTLED], self.words)
        return next((words[-1] for words in by_rank if words), None)


@dataclass(frozen=True)
class Catalogue:
    """The choices of a source, both ways."""

    by_key: Mapping[tuple[str, str], int]
    field_of: Mapping[int, str]
    main: frozenset[str]

    def choice(self, values: Mapping[str, Any], key: str | None) -> int | None:
        return self.by_key.get((key, str(values.get(key, "")))) if key else None


def refresh(scope: Scope, quarters: Collection[datetime] | None = None) -> set[date]:
    """Tell anew what the days of a scope concern; answers the days of opening of what has changed.

    These are the tickets that were opened on the days, and those that were proposed for on them:
    in these quarter hours of them, if given. The scope has a source. Inside a transaction, by one
    process at a time; memory is that of a thousand tickets and of the keys of a day’s.
    """
    catalogue = _catalogue(scope)
    days = set[date]()
    day = scope.first
    while day <= scope.last:
        tickets = _concerned(replace(scope, first=day, last=day), quarters)
        while chunk := list(islice(tickets, CHUNK)):
            days |= _retell(chunk, scope, catalogue)
        day += timedelta(days=1)
    return days


def _catalogue(scope: Scope) -> Catalogue:
    rows = list(
        Choice.objects.filter(field__source=scope.source).values_list(
            "pk", "key", "field__key", "field_id"
        )
    )
    return Catalogue(
        by_key={(field, key): pk for pk, key, field, _ in rows},
        field_of={pk: field for pk, _, field, _ in rows},
        main=frozenset(field for _, _, field, number in rows if number in scope.main_fields),
    )


def _concerned(scope: Scope, quarters: Collection[datetime] | None) -> Iterator[int]:
    """Of a scope of one day, each ticket once."""
    opened = Ticket.objects.filter(
        source=scope.source, opened_at__gte=scope.start, opened_at__lt=scope.end
    )
    proposed = Proposal.objects.filter(
        created_at__gte=scope.start, created_at__lt=scope.end, ticket__source=scope.source
    )
    if quarters is not None:
        # Among the rows of a day, which an index finds: not one query for each quarter hour.
        here = [at for at in quarters if scope.start <= at < scope.end]
        opened = opened.alias(quarter=QuarterOf("opened_at")).filter(Q(quarter__in=here))
        proposed = proposed.alias(quarter=QuarterOf("created_at")).filter(Q(quarter__in=here))
    mine = set(opened.order_by().values_list("pk", flat=True).iterator())
    yield from mine
    # Most tickets are proposed for on the day on which they were opened, and are told already.
    others = proposed.order_by().values_list("ticket", flat=True).distinct()
    yield from (pk for pk in others.iterator() if pk not in mine)


def _retell(tickets: list[int], scope: Scope, catalogue: Catalogue) -> set[date]:
    records = _records(tickets, scope, catalogue)
    rows = {pk: _row(pk, one, scope, catalogue) for pk, one in records.items()}
    known = {
        row[0]: row[1:]
        for row in TicketStory.objects.filter(ticket__in=bulk.among(tickets)).values_list(
            "ticket_id", *KEPT
        )
    }
    changed = [
        row for pk, row in rows.items() if known.get(pk) != tuple(getattr(row, k) for k in KEPT)
    ]
    TicketStory.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["ticket"], update_fields=KEPT
    )
    former = {known[row.ticket_id][DAY] for row in changed if row.ticket_id in known}
    return former | {row.day for row in changed}


def _records(tickets: list[int], scope: Scope, catalogue: Catalogue) -> dict[int, Record]:
    """In six queries, however many tickets there are."""
    of_them = Q(ticket__in=bulk.among(tickets))
    opened = Ticket.objects.filter(pk__in=bulk.among(tickets)).values_list("pk", "opened_at")
    found = {pk: Record(opened_at) for pk, opened_at in opened}
    first = TicketVersion.objects.filter(of_them).order_by("ticket", "version").distinct("ticket")
    for pk, values in first.values_list("ticket", "values"):
        found[pk].first = values
        found[pk].filed += [
            (LONG_AGO, choice)
            for key in catalogue.main
            if (choice := catalogue.choice(values, key)) is not None
        ]
    labels = Label.objects.filter(of_them, origin=Label.Origin.HISTORY).order_by("pk")
    for pk, choice in labels.values_list("ticket", "choice"):
        found[pk].has_history = True
        _file(found[pk], LONG_AGO, choice, catalogue)
    for word in _words(of_them, scope):
        found[word.ticket].words.append(word)
        if word.filed:
            found[word.ticket].filed.append(word.filed)
    events = TicketEvent.objects.filter(of_them).order_by("ticket", "happened_at", "pk")
    for pk, kind, at, choice, score in events.values_list(
        "ticket", "kind", "happened_at", "choice", "score"
    ):
        found[pk].happenings.append(Happening(kind, at, choice, score))
        if choice is not None:
            _file(found[pk], at, choice, catalogue)
    return found


def _words(of_them: Q, scope: Scope) -> Iterable[Word]:
    """In the order in which they were proposed."""
    main = scope.main_fields or (0,)
    closes = Effect.objects.filter(
        proposal=OuterRef("pk"),
        kind=Effect.Kind.STATUS,
        payload__status=Playbook.FollowUp.RESOLVED,
        undoes__isnull=True,
    ).exclude(state__in=FAILED)
    rows = (
        Proposal.objects.filter(of_them)
        .exclude(route=Proposal.Route.SHADOW)
        .alias(
            main=FilteredRelation("values", condition=Q(values__field__in=main)),
            final=FilteredRelation(
                "decision__values", condition=Q(decision__values__field__in=main)
            ),
        )
        .annotate(closes=Exists(closes), version=F("main__prediction__model_version"))
        .order_by("ticket", "created_at", "pk")
        .values_list(
            "ticket", "created_at", "route", "decision__verdict", "decision__decided_at",
            "main__choice", "final__final", "version", "spot_check", "closes",
        )
    )  # fmt: skip
    return (Word(*row) for row in rows)


def _file(record: Record, at: datetime, choice: int, catalogue: Catalogue) -> None:
    if catalogue.field_of.get(choice) in catalogue.main:
        record.filed.append((at, choice))


def _row(ticket: int, record: Record, scope: Scope, catalogue: Catalogue) -> TicketStory:
    told = _told(record, catalogue)
    word = record.settled
    path = word.path if word else StoryPath.BEFORE
    filed = max(record.filed, key=lambda pair: pair[0], default=None)
    last = [choice for at, choice in record.filed if filed and at == filed[0]]
    return TicketStory(
        ticket_id=ticket,
        day=record.opened_at.astimezone(scope.now.tzinfo).date(),
        source=scope.source,
        choice_id=last[-1] if last else _proposed(word),
        version_id=word.version if word else None,
        path=path,
        is_self_closed=_is_self_closed(word, told),
        reassigned=told.reassigned,
        recategorised=told.recategorised,
        returned=told.returned,
        resolved_at=told.resolved_at,
        reopened_after=_begun_days(told, told.first_reopened_at),
        contacted_after=_begun_days(told, told.first_reopened_at, told.first_commented_at),
        rating=told.rating,
        has_states=told.has_states,
        to_resolve=told.seconds_to_resolve,
        queued=told.seconds_queued,
        worked=told.seconds_worked,
        paused=told.seconds_paused,
        awaiting=told.seconds_awaiting,
        rework=told.seconds_after_first_resolution,
    )


def _proposed(word: Word | None) -> int | None:
    """Where nobody has filed a ticket, it belongs to what was proposed for it."""
    return word.main if word and word.path == StoryPath.UNSETTLED else None


def _told(record: Record, catalogue: Catalogue) -> Story:
    def first(kind: str) -> int | None:
        """What it was first filed under, in the field that events of this kind speak of."""
        named = (each.choice for each in record.happenings if each.kind == kind and each.choice)
        choice = next(named, None)
        key = catalogue.field_of.get(choice) if isinstance(choice, int) else None
        return None if record.has_history else catalogue.choice(record.first, key)

    return story(
        record.opened_at,
        record.happenings,
        first_team=first(TicketEvent.Kind.REASSIGNED),
        first_category=first(TicketEvent.Kind.RECATEGORISED),
    )


def _is_self_closed(word: Word | None, told: Story) -> bool:
    if word is None or word.path != StoryPath.AUTO or not word.closes:
        return False
    # One that people had resolved before came back to the playbook: the first closing is theirs.
    return told.resolved_at is not None and told.resolved_at >= word.at


def _begun_days(told: Story, *moments: datetime | None) -> int | None:
    """Spans of 24 hours begun from the first resolution to the first of these moments."""
    met = [moment for moment in moments if moment is not None]
    if told.resolved_at is None or not met:
        return None
    seconds = (min(met) - told.resolved_at).total_seconds()
    return max(1, math.ceil(seconds / DAY_SECONDS))
