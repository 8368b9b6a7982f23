"""What changed for somebody: read from the rows themselves, nothing is copied for it.

Five kinds of news, each with its moment and the key of its row, are put together and paged by the
database; only the rows of one page are then read.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.contrib.auth.models import User
from django.db.models import CharField, F, Max, Q, QuerySet, Value
from django.utils import timezone

from review import policy_news
from review.models import Concern, Decision, Seen, Withdrawal
from review.policy_news import PolicyNews
from review.url_filter import UrlFilter
from triage import ledger
from triage.models import Effect, RuleVersion

PAGE_SIZE = 25
LASTS = timedelta(days=30)
MOST_COUNTED = 100
RULE, TAKEN_BACK, UNWRITTEN, ANSWER, POLICY = "rule", "taken_back", "unwritten", "answer", "policy"
KINDS = (RULE, TAKEN_BACK, UNWRITTEN, ANSWER, POLICY)
NOT_DONE = (Effect.State.CONFLICT, Effect.State.REFUSED)
COLUMNS = ("news_at", "news_kind", "news_pk")
Key = tuple[datetime, str, int]


@dataclass(frozen=True)
class NewsFilter(UrlFilter):
    kind: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        return (self.kind,) if self.kind in KINDS else KINDS


@dataclass(frozen=True)
class News:
    """One line. Of `rule`, `withdrawal`, `effects`, `concern`, `policy` one is there, by `kind`."""

    at: datetime
    kind: str
    is_new: bool
    rule: RuleVersion | None = None
    withdrawal: Withdrawal | None = None
    effects: tuple[Effect, ...] = ()
    concern: Concern | None = None
    policy: PolicyNews | None = None


@dataclass(frozen=True)
class NewsPage:
    lines: list[News]
    number: int
    pages: int
    filter: NewsFilter

    @property
    def newer(self) -> str:
        return self.filter.url_query(page=str(self.number - 1))

    @property
    def older(self) -> str:
        return self.filter.url_query(page=str(self.number + 1))

    @property
    def is_all(self) -> bool:
        """Whether somebody who sees this page has seen what is new."""
        return self.number == 1 and self.filter.kinds == KINDS


def news_page(person: User, chosen: NewsFilter, *, number: int = 1) -> NewsPage:
    """A page of the last 30 days, newest first; one past the end is answered with the last."""
    since = timezone.now() - LASTS
    keys = _keys(person, since, chosen.kinds)
    pages = max(1, ceil(keys.count() / PAGE_SIZE))
    number = min(max(number, 1), pages)
    start = (number - 1) * PAGE_SIZE
    ordered = keys.order_by("-news_at", "news_kind", "-news_pk")
    shown: list[Key] = list(ordered[start : start + PAGE_SIZE])
    return NewsPage(_lines(person, shown), number, pages, chosen)


def unread(person: User) -> int:
    """How much is new since it was last read, counted up to MOST_COUNTED."""
    since = max(seen_upto(person), timezone.now() - LASTS)
    return len(_keys(person, since, KINDS, own_policy=False)[:MOST_COUNTED])


def seen_upto(person: User) -> datetime:
    """For somebody who never looked: since the account was made."""
    seen = Seen.objects.filter(person=person).first()
    return seen.upto if seen else person.date_joined


def mark_read(person: User, upto: datetime) -> None:
    Seen.objects.update_or_create(person=person, defaults={"upto": upto})


# --- The keys of what is news -----------------------------------------------------------------
def _keys(
    person: User, since: datetime, kinds: tuple[str, ...], *, own_policy: bool = True
) -> QuerySet[Any, Key]:
    """(moment, kind, key) of everything since then, in no order."""
    policy = policy_news.entries(since)
    if not own_policy:
        policy = policy.exclude(actor=ledger.actor_of(person))
    rows: dict[str, QuerySet[Any, Key]] = {
        RULE: _keyed(_rules(person, since), RULE, "created_at"),
        TAKEN_BACK: _keyed(_taken_back(person, since), TAKEN_BACK, "at"),
        UNWRITTEN: _unwritten_keys(person, since),
        ANSWER: _keyed(
            Concern.objects.filter(reporter=person, answered_at__gt=since), ANSWER, "answered_at"
        ),
        POLICY: _keyed(policy, POLICY, "at"),
    }
    first, *others = (rows[kind] for kind in kinds)
    return first.union(*others, all=True) if others else first


def _keyed(rows: QuerySet[Any], kind: str, moment: str) -> QuerySet[Any, Key]:
    named: QuerySet[Any, Any] = rows.order_by().annotate(
        news_at=F(moment), news_kind=Value(kind, output_field=CharField()), news_pk=F("pk")
    )
    return named.values_list(*COLUMNS)


def _rules(person: User, since: datetime) -> QuerySet[RuleVersion]:
    """Rules in force that an override of this person led to; not those they made themselves."""
    overridden = Decision.objects.filter(reviewer=person, verdict=Decision.Verdict.OVERRIDDEN)
    return RuleVersion.objects.filter(
        prompted_by__decisions__in=overridden, rule__is_active=True, created_at__gt=since
    ).exclude(author=person)


def _taken_back(person: User, since: datetime) -> QuerySet[Withdrawal]:
    return Withdrawal.objects.filter(decision__reviewer=person, at__gt=since).exclude(by=person)


def _unwritten(person: User, since: datetime) -> QuerySet[Effect]:
    """Changes that this person's word asked for and the helpdesk did not take."""
    decided = Q(
        undoes__isnull=True,
        proposal__decisions__reviewer=person,
        proposal__decisions__decided_at__lte=F("created_at"),
    )
    undone = Q(undoes__isnull=False, proposal__decisions__withdrawal__by=person)
    # By when it was made as well, because that is what the index knows.
    return Effect.objects.filter(
        decided | undone,
        state__in=NOT_DONE,
        created_at__gt=since - timedelta(days=1),
        finished_at__gt=since,
    )


def _unwritten_keys(person: User, since: datetime) -> QuerySet[Any, Key]:
    """One for each proposal, however many of its changes were not made."""
    found = _unwritten(person, since).order_by().values("proposal")
    named = found.annotate(
        news_at=Max("finished_at"),
        news_kind=Value(UNWRITTEN, output_field=CharField()),
        news_pk=F("proposal"),
    )
    return named.values_list(*COLUMNS)


# --- The rows of one page ---------------------------------------------------------------------
def _lines(person: User, keys: list[Key]) -> list[News]:
    """In the order of the keys; a row that is gone since is left out."""
    upto, me = seen_upto(person), ledger.actor_of(person)
    wanted: dict[str, list[int]] = defaultdict(list)
    for _, kind, pk in keys:
        wanted[kind].append(pk)
    rules = _by_pk(
        _with_ticket(RuleVersion.objects, "prompted_by__"), wanted[RULE], "author", "rule"
    )
    back = _by_pk(
        _with_ticket(Withdrawal.objects, "decision__proposal__"),
        wanted[TAKEN_BACK],
        "by",
        "reversed_by",
    )
    effects = _effects(person, wanted[UNWRITTEN])
    concerns = _by_pk(Concern.objects, wanted[ANSWER], "answered_by")
    policy = policy_news.told(wanted[POLICY])
    lines = []
    for at, kind, pk in keys:
        line = News(
            at=at,
            kind=kind,
            is_new=at > upto and not (kind == POLICY and pk in policy and policy[pk].actor == me),
            rule=rules.get(pk) if kind == RULE else None,
            withdrawal=back.get(pk) if kind == TAKEN_BACK else None,
            effects=tuple(effects[pk]) if kind == UNWRITTEN else (),
            concern=concerns.get(pk) if kind == ANSWER else None,
            policy=policy.get(pk) if kind == POLICY else None,
        )
        if line.rule or line.withdrawal or line.effects or line.concern or line.policy:
            lines.append(line)
    return lines


def _with_ticket(rows: Any, path: str) -> Any:
    """With the ticket that is named, without its long texts. `path` leads to the proposal."""
    texts = [f"{path}ticket__{name}" for name in ("body", "search", "resolution")]
    return rows.select_related(f"{path}ticket__source").defer(
        *texts, *([f"{path}reply"] if path else [])
    )


def _by_pk(rows: Any, keys: list[int], *related: str) -> dict[int, Any]:
    return rows.select_related(*related).in_bulk(keys) if keys else {}


def _effects(person: User, proposals: list[int]) -> dict[int, list[Effect]]:
    found: dict[int, list[Effect]] = defaultdict(list)
    if proposals:
        rows = _with_ticket(
            Effect.objects.filter(proposal__in=proposals, state__in=NOT_DONE), ""
        ).defer("payload", "before")
        for effect in rows.order_by("proposal", "position", "pk"):
            found[effect.proposal_id].append(effect)
    return found
