"""Everything the page of one ticket shows, in four queries, however much there is of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet

from review import standing
from review.catalogue import Catalogue
from review.lines import Line, lines_of
from review.models import DecidedValue, Decision
from review.told import Hit, Requester, Told, outcome_of, told
from triage.effects.plan import BEGUN
from triage.models import (
    Delivery,
    Effect,
    Proposal,
    ProposedValue,
    Ticket,
    TicketEvent,
    TicketVersion,
    Waiting,
)
from triage.nested import nested, rows_of
from triage.outcomes import Outcome, outcomes

SIMILAR_SHOWN = 3
UNFINISHED = frozenset({Effect.State.PENDING, Effect.State.SENDING})


@dataclass(frozen=True)
class Solved:
    """An earlier ticket like this one, and how it went. `similarity` is 0 to 1."""

    outcome: Outcome
    similarity: float
    path: str


@dataclass(frozen=True)
class DecisionLine:
    """A decision, the main value it settled on, and what it changed: value, path before, after.

    `finals` are all choices that it settled on, by field, as primary keys. `can_undo`: by whoever
    decided, as things stand.
    """

    decision: Decision
    settled: str
    changes: list[tuple[DecidedValue, str, str]]
    finals: dict[int, int]
    can_undo: bool = False


@dataclass(frozen=True)
class TicketPage:
    """`hits` are the rules that stand beside no value; `holders` those that asked for a person.

    `is_blind`: to be answered before the advice, so that nothing of it is here.
    """

    ticket: Ticket
    state: str
    proposal: Proposal | None
    lines: list[Line]
    hits: list[Hit]
    holders: list[Hit]
    decisions: list[DecisionLine]
    effects: list[Effect]
    similar: list[Solved]
    is_being_explained: bool
    events: list[tuple[TicketEvent, str]]
    events_cut: bool
    versions: list[TicketVersion]
    requester: Requester | None
    waiting: Waiting | None
    is_blind: bool = False

    @property
    def main(self) -> Line | None:
        return next((line for line in self.lines if line.value.field.is_main), None)

    @property
    def decision(self) -> DecisionLine | None:
        """The decision that stands for the proposal that is shown."""
        return _standing(self.proposal, self.decisions)

    @property
    def can_reverse(self) -> bool:
        """Whether something stands that another decision may take the place of."""
        return self.state in {"decided", "auto"} and self.ticket.erased_at is None

    @property
    def was_answered(self) -> bool:
        """Whether the requester got the reply, which nobody can take back, nor send once more."""
        proposal = self.proposal.pk if self.proposal else None
        return any(
            effect.kind == Effect.Kind.REPLY and effect.state in BEGUN
            for effect in self.effects
            if effect.proposal_id == proposal
        )

    @property
    def is_open(self) -> bool:
        return self.state == "waiting"

    @property
    def is_acceptable(self) -> bool:
        """Accepting needs a main value; without one a person has to choose."""
        return self.main is not None and bool(self.main.path)

    @property
    def set_fields(self) -> str:
        """What accepting changes in the helpdesk: `Category Network › VPN, Team Network`."""
        return ", ".join(
            f"{line.value.field.name} {line.path}"
            for line in self.lines
            if line.path and line.value.basis != ProposedValue.Basis.HELPDESK
        )

    @property
    def conflicts(self) -> list[Effect]:
        return [effect for effect in self.effects if effect.state == Effect.State.CONFLICT]

    @property
    def link(self) -> str:
        """The ticket in the helpdesk. Anything but http(s) comes from outside and is not linked.

        Nor is one that is answered blind: there it may stand what was made of it.
        """
        url = self.ticket.url
        return url if url.startswith(("https://", "http://")) and not self.is_blind else ""


def ticket_page(pk: int, choices: Catalogue) -> TicketPage:
    """Raises Ticket.DoesNotExist."""
    found = told(pk)
    ticket, proposal = found.ticket, found.proposal
    waiting: Waiting | None = getattr(ticket, "waiting", None)
    if waiting is not None and waiting.blind_at is not None:
        return _blind_page(found, waiting)
    decisions = with_changes(_decided(ticket), choices)
    lines = lines_of(proposal, choices) if proposal else []
    named = {line.value.rule_version_id for line in lines}
    return TicketPage(
        ticket=ticket,
        state=_state(found, waiting, decisions),
        proposal=proposal,
        lines=lines,
        hits=[hit for hit in found.hits if hit.rule_version not in named],
        holders=[hit for hit in found.hits if hit.holds],
        decisions=decisions,
        effects=found.effects,
        similar=similar_to(ticket, proposal, choices),
        is_being_explained=found.is_being_explained,
        events=[(event, choices.path(event.choice_id)) for event in found.events],
        events_cut=found.events_cut,
        versions=found.versions,
        requester=found.requester,
        waiting=waiting,
    )


def _blind_page(found: Told, waiting: Waiting) -> TicketPage:
    """What was written, and nothing of what was made of it, not even what happened since."""
    return TicketPage(
        ticket=found.ticket,
        state=_state(found, waiting, []),
        proposal=found.proposal,
        lines=[],
        hits=[],
        holders=[],
        decisions=[],
        effects=[],
        similar=[],
        is_being_explained=False,
        events=[],
        events_cut=False,
        versions=found.versions,
        requester=found.requester,
        waiting=waiting,
        is_blind=True,
    )


def effects_of(ticket: Ticket) -> QuerySet[Effect]:
    return ticket.effects.order_by("created_at", "proposal", "position")


def is_unfinished(effects: Iterable[Effect]) -> bool:
    return any(effect.state in UNFINISHED for effect in effects)


def _state(found: Told, waiting: Waiting | None, decisions: list[DecisionLine]) -> str:
    proposal = found.proposal
    if proposal is None:
        return "untriaged"
    if _standing(proposal, decisions) is not None:
        return "decided"
    is_waiting = waiting is not None and waiting.proposal_id == proposal.pk
    if proposal.route == Proposal.Route.AUTO:
        # What waits to be checked is checked as it was proposed, whatever came since.
        return "waiting" if is_waiting else "auto"
    seen = proposal.ticket_version.version
    if any(_is_applied(newer) for newer in found.versions if newer.version > seen):
        return "superseded"
    return "waiting" if is_waiting else "gone"


def _standing(proposal: Proposal | None, decisions: list[DecisionLine]) -> DecisionLine | None:
    return next(
        (line for line in decisions if proposal and line.decision.stands_for_id == proposal.pk),
        None,
    )


def _is_applied(version: TicketVersion) -> bool:
    return outcome_of(version) == Delivery.Outcome.APPLIED


def _decided(ticket: Ticket) -> QuerySet[Decision]:
    return (
        standing.undoable(Decision.objects.filter(proposal__ticket=ticket))
        .select_related("reviewer", "reason", "withdrawal__by")
        .order_by("-decided_at")
    )


def with_changes(decided: QuerySet[Decision], choices: Catalogue) -> list[DecisionLine]:
    """Decisions with what each settled and changed, in the one query that reads them.

    They are to come with their withdrawal and, if they may be taken back, with `can_undo`.
    """
    values = DecidedValue.objects.filter(decision=OuterRef("pk")).order_by("field__position")
    rows = decided.annotate(found=nested(values))
    return [_line(row, rows_of(DecidedValue, row.found), choices) for row in rows]


def _line(decision: Decision, values: Sequence[DecidedValue], choices: Catalogue) -> DecisionLine:
    settled, changes, finals = "", [], {}
    for value in values:
        value.field = choices.fields[value.field_id]
        value.reason = choices.reasons[value.reason_id] if value.reason_id else None
        before, after = choices.path(value.proposed_id), choices.path(value.final_id)
        if value.final_id is not None:
            finals[value.field_id] = value.final_id
        if value.field.is_main:
            settled = after
        if value.proposed_id != value.final_id:
            changes.append((value, before, after))
    can_undo = getattr(decision, "can_undo", False)
    return DecisionLine(decision, settled, changes, finals, can_undo)


def similar_to(ticket: Ticket, proposal: Proposal | None, choices: Catalogue) -> list[Solved]:
    alike = {
        item["ticket"]: float(item["similarity"])
        for item in (proposal.similar[:SIMILAR_SHOWN] if proposal else [])
    }
    main = choices.main_field(ticket.source_id)
    solved = [
        Solved(
            outcome=outcome,
            similarity=alike[pk],
            path=choices.key_path(main, outcome.ticket.values[main.key])
            if main and outcome.ticket.values.get(main.key)
            else "",
        )
        for pk, outcome in (outcomes(alike) if alike else {}).items()
    ]
    return sorted(solved, key=lambda one: -one.similarity)
