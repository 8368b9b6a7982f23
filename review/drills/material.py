"""What a drill is made of: a past ticket whose truth is known, and advice for it.

Wrong advice is one that could have been given: what the model said if that was wrong, else what
it held for next likely, else a sibling of the truth.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from review.catalogue import Catalogue
from review.models import BlindAnswer, Decision, Drill, PracticeAnswer, Truth
from triage.models import Choice, Label, Proposal, ProposedValue
from triage.policy import draws

# The newest of each kind of truth; an old one teaches what is no longer so.
CANDIDATES = 400
SETTLED = (Truth.Origin.AGREED, Truth.Origin.ADJUDICATED)


@dataclass(frozen=True)
class Material:
    """A past proposal with advice for its main field; primary keys throughout."""

    proposal: int
    advice: int
    truth: int
    known_by: str
    version: int

    @property
    def is_right(self) -> bool:
        return self.advice == self.truth


@dataclass(frozen=True)
class Known:
    truth: int
    known_by: str


def pick(
    person: User,
    source: int,
    choices: Catalogue,
    *,
    is_right: bool,
    salt: str,
    within: Collection[int] | None = None,
) -> Material | None:
    """The one that the draw falls on, of what this person has never seen; None without any.

    `within`: the advice is one of these choices, as everything that the person looks at is.
    """
    known = _known(person, source)
    found = (
        one
        for one in _material(known, choices, is_right=is_right)
        if within is None or one.advice in within
    )
    return min(
        found,
        key=lambda one: draws.draw(f"drill-ticket:{person.pk}:{one.proposal}", salt),
        default=None,
    )


def _material(
    known: Mapping[int, Known], choices: Catalogue, *, is_right: bool
) -> Iterator[Material]:
    """Only from what a model proposed alone: a rule or a parent would be blamed for nothing."""
    values = ProposedValue.objects.filter(
        proposal__in=known,
        field__is_main=True,
        choice__isnull=False,
        basis=ProposedValue.Basis.MODEL,
        prediction__isnull=False,
        proposal__playbook__isnull=True,
    ).values_list("proposal", "choice", "prediction__probabilities", "prediction__model_version")
    for proposal, said, probabilities, version in values:
        truth = choices.by_pk.get(known[proposal].truth)
        recorded = choices.by_pk.get(said)
        if truth is None or recorded is None or truth.retired_at is not None:
            continue
        advice = truth if is_right else _wrong(truth, recorded, probabilities, choices)
        if advice is not None:
            yield Material(proposal, advice.pk, truth.pk, known[proposal].known_by, version)


def _wrong(
    truth: Choice, recorded: Choice, probabilities: Mapping[str, float], choices: Catalogue
) -> Choice | None:
    live = choices.live(truth.field_id)
    by_key = {choice.key: choice for choice in live}
    likeliest = sorted(probabilities, key=lambda key: (-probabilities[key], key))
    said = (by_key[key] for key in likeliest if key in by_key)
    siblings = (choice for choice in live if choice.parent_id == truth.parent_id)
    candidates: Iterable[Choice] = (recorded, *said, *siblings)
    return next(
        (
            one
            for one in candidates
            if one.retired_at is None and not _is_related(one, truth, choices)
        ),
        None,
    )


def _is_related(one: Choice, other: Choice, choices: Catalogue) -> bool:
    """The same, or one above the other: then neither is plainly wrong."""
    return one in choices.lineage(other.pk) or other in choices.lineage(one.pk)


def _known(person: User, source: int) -> dict[int, Known]:
    """Proposal to truth: agreed answers before single ones, and those before history."""
    truths = Truth.objects.filter(
        _is_past("check_of__proposal__ticket"),
        *_unseen(person, "check_of__proposal__ticket"),
        field__is_main=True,
        check_of__proposal__ticket__source=source,
    ).exclude(check_of__proposal__route=Proposal.Route.SHADOW)
    labels = (
        Label.objects.filter(
            _is_past("ticket"),
            *_unseen(person, "ticket"),
            origin=Label.Origin.HISTORY,
            field__is_main=True,
            ticket__source=source,
        )
        .annotate(proposal=Subquery(_newest_of("ticket")))
        .filter(proposal__isnull=False)
        .order_by("-created_at")
    )
    found: dict[int, Known] = {}
    lists: list[Iterable[Any]] = [
        _newest(labels.annotate(known_by=F("origin")), "proposal"),
        _newest(_by_time(truths.filter(origin=Truth.Origin.SINGLE)), "check_of__proposal"),
        _newest(_by_time(truths.filter(origin__in=SETTLED)), "check_of__proposal"),
    ]
    for rows in lists:
        found |= {proposal: Known(choice, known_by) for proposal, choice, known_by in rows}
    return found


def _by_time(truths: QuerySet[Truth]) -> QuerySet[Truth]:
    return truths.annotate(known_by=F("origin")).order_by("-settled_at", "-pk")


def _newest(rows: QuerySet[Any], proposal: str) -> Iterable[tuple[int, int, str]]:
    return rows.values_list(proposal, "choice", "known_by")[:CANDIDATES]


def _newest_of(ticket: str) -> QuerySet[Any, Any]:
    shown = Proposal.objects.filter(ticket=OuterRef(ticket)).exclude(route=Proposal.Route.SHADOW)
    return shown.order_by("-ticket_version__version").values("pk")[:1]


def _is_past(ticket: str) -> Q:
    return Q(
        (f"{ticket}__closed_at__isnull", False),
        (f"{ticket}__erased_at__isnull", True),
        (f"{ticket}__waiting__isnull", True),
    )


def _unseen(person: User, ticket: str) -> list[Q]:
    """Leaves out what the person decided, answered first, practised on, or was drilled with."""
    met: list[QuerySet[Any]] = [
        Decision.objects.filter(reviewer=person, proposal__ticket=OuterRef(ticket)),
        BlindAnswer.objects.filter(reviewer=person, check_of__proposal__ticket=OuterRef(ticket)),
        PracticeAnswer.objects.filter(person=person, proposal__ticket=OuterRef(ticket)),
        Drill.objects.filter(person=person, proposal__ticket=OuterRef(ticket)),
    ]
    return [Q(~Exists(rows)) for rows in met]
