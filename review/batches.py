"""Many proposals decided in one go, each still a decision of its own that can be undone alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils import timezone

from review import decisions, load
from review.catalogue import Catalogue
from review.models import Batch, Decision, Lease, Reason
from review.standing import undoable
from review.together import is_leased
from review.undo import UndoError, undo
from triage.models import Choice, Proposal, ProposedValue, Waiting

ACCEPT, OVERRIDE, ESCALATE = "accept", "override", "escalate"
# Why one was left as it was.
DECIDED, CHANGED, LEASED, BLIND, HELD, REFUSED = (
    "decided", "changed", "leased", "blind", "held", "refused",
)  # fmt: skip
REASONS_TO_LEAVE = frozenset({DECIDED, CHANGED, LEASED, BLIND, HELD, REFUSED})


@dataclass(frozen=True)
class Word:
    """What is said of all of them. Overriding names a choice, and all but accepting a reason."""

    way: str
    choice: Choice | None = None
    reason: Reason | None = None
    text: str = ""
    with_playbook: bool = False


@dataclass(frozen=True)
class Left:
    """A proposal that was left as it was, and one of REASONS_TO_LEAVE."""

    proposal: int
    why: str


@dataclass(frozen=True)
class LeftOne:
    """A proposal that was left, and who was faster or has it, where that is why."""

    proposal: Proposal
    why: str
    decision: Decision | None
    holder: User | None


def begin(reviewer: User) -> Batch:
    batch = Batch.objects.create(reviewer=reviewer, decided_at=timezone.now())
    load.add_review(reviewer.pk)
    return batch


def decide_all(
    batch: Batch, proposals: Sequence[int], word: Word, choices: Catalogue
) -> list[Left]:
    """Decide each in a transaction of its own; answers those that were left.

    May be repeated: what this batch has decided before counts as done. Unknown ones and those
    that run in the shadow are passed over.
    """
    shown = Proposal.objects.exclude(route=Proposal.Route.SHADOW).filter(pk__in=proposals)
    rows = {row.pk: row for row in shown.select_related("ticket__source", "ticket_version")}
    obstacles = _obstacles(batch, list(rows))
    left = []
    for pk in dict.fromkeys(proposals):
        why = obstacles.get(pk) or (_decided(batch, rows[pk], word, choices) if pk in rows else "")
        if why:
            left.append(Left(pk, why))
    return left


def _obstacles(batch: Batch, proposals: Sequence[int]) -> dict[int, str]:
    """Why those that wait cannot be decided among others."""
    rows = Waiting.objects.filter(proposal__in=proposals).annotate(
        with_others=is_leased(batch.reviewer)
    )
    found = {}
    for pk, is_held, with_others, blind_at in rows.values_list(
        "proposal", "is_held", "with_others", "blind_at"
    ):
        if blind_at is not None:
            found[pk] = BLIND
        elif with_others:
            found[pk] = LEASED
        elif is_held:
            found[pk] = HELD
    return found


def _decided(batch: Batch, proposal: Proposal, word: Word, choices: Catalogue) -> str:
    """Empty if this proposal now has its decision of this batch, else why not."""
    try:
        _decide(batch, proposal, word, choices)
    except decisions.AlreadyDecided as error:
        return "" if error.decision.batch_id == batch.pk else DECIDED
    except decisions.Superseded:
        return CHANGED
    except decisions.Leased:
        return LEASED
    except decisions.DecisionRefused:
        return REFUSED
    return ""


def _decide(batch: Batch, proposal: Proposal, word: Word, choices: Catalogue) -> Decision:
    if word.way == ESCALATE and word.reason is not None:
        return decisions.escalate(
            proposal=proposal,
            reviewer=batch.reviewer,
            reason=word.reason,
            text=word.text,
            batch=batch,
        )
    wanted = _with_followers(proposal, word.choice, choices) if word.choice else {}
    return decisions.decide(
        proposal=proposal,
        reviewer=batch.reviewer,
        choices=wanted,
        reasons=dict.fromkeys(wanted, word.reason) if word.reason else {},
        with_playbook=word.with_playbook and proposal.playbook_id is not None,
        text=word.text,
        batch=batch,
    )


def _with_followers(
    proposal: Proposal, choice: Choice, choices: Catalogue
) -> dict[str, Choice | None]:
    """The choice, and where it is a main one, what follows from it for the other fields."""
    wanted: dict[str, Choice | None] = {choice.field.key: choice}
    if not choice.field.is_main:
        return wanted
    for value in proposal.values.select_related("field"):
        implied = choices.implied(choice.pk, value.field_id)
        if implied is not None and implied.pk != value.choice_id and _follows(value, choices):
            wanted[value.field.key] = implied
    return wanted


def _follows(value: ProposedValue, choices: Catalogue) -> bool:
    """As on the page of one ticket: what follows goes on following, and so does what is open."""
    if value.field.is_main:
        return False
    is_open = value.choice_id is None and choices.is_implied(value.field_id)
    return is_open or value.basis == ProposedValue.Basis.FOLLOWS


def decided_in(batch: Batch) -> list[Decision]:
    """The decisions of a batch, those that were taken back included.

    Each says as `can_undo` whether it still can be.
    """
    rows = undoable(batch.decisions.all()).select_related("proposal__ticket", "reason")
    return list(
        rows.defer(
            "proposal__ticket__body", "proposal__ticket__search", "proposal__similar"
        ).order_by("pk")
    )


def can_undo(decision: Decision) -> bool:
    """Of one that decided_in answered."""
    return bool(getattr(decision, "can_undo", False))


def take_back(batch: Batch, by: User) -> int:
    """Undo what can be undone of one's own batch, each alone; answers how many were.

    What came too late stays, and its row says so.
    """
    done = 0
    for decision in filter(can_undo, decided_in(batch)):
        try:
            undo(decision, by)
        except UndoError:
            continue
        done += 1
    return done


def why_left(left: Sequence[Left]) -> list[LeftOne]:
    """Those that were left, as the page names them; unknown ones are passed over."""
    rows = (
        Proposal.objects.exclude(route=Proposal.Route.SHADOW)
        .filter(pk__in=[one.proposal for one in left])
        .select_related("ticket__lease__holder", "decision__reviewer")
        .defer("ticket__body", "ticket__search", "similar")
    )
    found = {row.pk: row for row in rows}
    return [
        LeftOne(
            proposal=found[one.proposal],
            why=one.why,
            decision=getattr(found[one.proposal], "decision", None),
            holder=_holder(found[one.proposal]),
        )
        for one in left
        if one.proposal in found
    ]


def _holder(proposal: Proposal) -> User | None:
    lease: Lease | None = getattr(proposal.ticket, "lease", None)
    return lease.holder if lease is not None else None
