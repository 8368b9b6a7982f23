"""Everything the page of one ticket shows, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest

from django.db.models import Count, Q, QuerySet

from review.catalogue import Catalogue
from review.lines import Line, lines_of
from review.models import DecidedValue, Decision
from triage.models import (
    Delivery,
    Effect,
    Job,
    Proposal,
    ProposedValue,
    RuleHit,
    RuleVersion,
    Ticket,
    TicketEvent,
    TicketVersion,
    Waiting,
)
from triage.outcomes import Outcome, outcomes

RECENT = timedelta(days=30)
SIMILAR_SHOWN = 3
VERSIONS_SHOWN = 10
UNFINISHED = frozenset({Effect.State.PENDING, Effect.State.SENDING})


@dataclass(frozen=True)
class Solved:
    """An earlier ticket like this one, and how it went. `similarity` is 0 to 1."""

    outcome: Outcome
    similarity: float
    path: str


@dataclass(frozen=True)
class DecisionLine:
    """A decision, the main value it settled on, and what it changed: value, path before, after."""

    decision: Decision
    settled: str
    changes: list[tuple[DecidedValue, str, str]]


@dataclass(frozen=True)
class Requester:
    """How many tickets the requester has opened up to this one, and of them in the last 30 days."""

    nth: int
    recent: int


@dataclass(frozen=True)
class TicketPage:
    """`hits` are the rules that stand beside no value; `holders` those that asked for a person."""

    ticket: Ticket
    state: str
    proposal: Proposal | None
    lines: list[Line]
    hits: list[RuleHit]
    holders: list[RuleHit]
    decisions: list[DecisionLine]
    effects: list[Effect]
    similar: list[Solved]
    is_being_explained: bool
    events: list[tuple[TicketEvent, str]]
    versions: list[TicketVersion]
    requester: Requester | None
    waiting: Waiting | None

    @property
    def main(self) -> Line | None:
        return next((line for line in self.lines if line.value.field.is_main), None)

    @property
    def decision(self) -> DecisionLine | None:
        """The decision on the proposal that is shown."""
        return next(
            (line for line in self.decisions if line.decision.proposal_id == self._proposal_pk),
            None,
        )

    @property
    def _proposal_pk(self) -> int | None:
        return self.proposal.pk if self.proposal else None

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
        """The ticket in the helpdesk. Anything but http(s) comes from outside and is not linked."""
        url = self.ticket.url
        return url if url.startswith(("https://", "http://")) else ""


def ticket_page(pk: int, choices: Catalogue) -> TicketPage:
    """Raises Ticket.DoesNotExist."""
    ticket = Ticket.objects.select_related("source", "waiting").get(pk=pk)
    proposals = list(
        Proposal.objects.filter(ticket=ticket)
        .exclude(route=Proposal.Route.SHADOW)
        .select_related("ticket_version", "playbook__owner")
        .order_by("-ticket_version__version")
    )
    proposal = proposals[0] if proposals else None
    waiting: Waiting | None = getattr(ticket, "waiting", None)
    decisions = _decisions([one.pk for one in proposals], choices)
    versions = _versions(ticket)
    lines = lines_of(proposal, choices) if proposal else []
    hits = _hits(proposal) if proposal else []
    named = {line.value.rule_version_id for line in lines}
    return TicketPage(
        ticket=ticket,
        state=_state(proposal, versions, waiting, decisions),
        proposal=proposal,
        lines=lines,
        hits=[hit for hit in hits if hit.rule_version_id not in named],
        holders=[hit for hit in hits if _holds(hit.rule_version)],
        decisions=decisions,
        effects=list(effects_of(ticket)),
        similar=_similar(ticket, proposal, choices),
        is_being_explained=proposal is not None and _is_being_explained(proposal),
        events=_events(ticket, choices),
        versions=versions,
        requester=_requester(ticket),
        waiting=waiting,
    )


def _is_being_explained(proposal: Proposal) -> bool:
    """Whether words and similar tickets are still to come; a job that died brings none."""
    return Job.objects.filter(
        kind=Job.Kind.EVIDENCE, subject=proposal.pk, dead_at__isnull=True
    ).exists()


def effects_of(ticket: Ticket) -> QuerySet[Effect]:
    return ticket.effects.order_by("created_at", "proposal", "position")


def is_unfinished(effects: Iterable[Effect]) -> bool:
    return any(effect.state in UNFINISHED for effect in effects)


def _versions(ticket: Ticket) -> list[TicketVersion]:
    """What the helpdesk told us of the ticket, newest first; echoes of our own writes left out.

    Our own write answers before its echo comes, which is then late and says no new word.
    """
    told = ticket.versions.exclude(delivery__outcome=Delivery.Outcome.ECHO)
    found = list(
        told.select_related("delivery")
        .defer("delivery__body")
        .order_by("-version")[:VERSIONS_SHOWN]
    )
    return [
        version
        for version, older in zip_longest(found, found[1:])
        if older is None or not (_is_late(version) and _words(version) == _words(older))
    ]


def _is_late(version: TicketVersion) -> bool:
    return version.delivery is not None and version.delivery.outcome == Delivery.Outcome.STALE


def _words(version: TicketVersion) -> tuple[str, str]:
    return version.subject, version.body


def _state(
    proposal: Proposal | None,
    versions: list[TicketVersion],
    waiting: Waiting | None,
    decisions: list[DecisionLine],
) -> str:
    if proposal is None:
        return "untriaged"
    if any(line.decision.proposal_id == proposal.pk for line in decisions):
        return "decided"
    seen = proposal.ticket_version.version
    if any(_is_applied(newer) for newer in versions if newer.version > seen):
        return "superseded"
    if waiting is not None and waiting.proposal_id == proposal.pk:
        return "waiting"
    return "auto" if proposal.route == Proposal.Route.AUTO else "gone"


def _is_applied(version: TicketVersion) -> bool:
    return version.delivery is not None and version.delivery.outcome == Delivery.Outcome.APPLIED


def _hits(proposal: Proposal) -> list[RuleHit]:
    return list(
        proposal.hits.select_related("rule_version__rule__owner").order_by(
            "rule_version__rule__position", "pk"
        )
    )


def _holds(version: RuleVersion) -> bool:
    return any(action.get("kind") == "hold" for action in version.actions)


def _decisions(proposal_pks: list[int], choices: Catalogue) -> list[DecisionLine]:
    decided = (
        Decision.objects.filter(proposal__in=proposal_pks)
        .select_related("reviewer", "reason")
        .order_by("-decided_at")
    )
    return with_changes(decided, choices)


def with_changes(decided: Iterable[Decision], choices: Catalogue) -> list[DecisionLine]:
    """Decisions with what each settled and changed; one query more for all of them."""
    decisions = list(decided)
    settled: dict[int, str] = {}
    changes: dict[int, list[tuple[DecidedValue, str, str]]] = defaultdict(list)
    values = DecidedValue.objects.filter(decision__in=[one.pk for one in decisions])
    for value in values.select_related("field", "reason").order_by("field__position"):
        paths = choices.path(value.proposed_id), choices.path(value.final_id)
        if value.field.is_main:
            settled[value.decision_id] = paths[1]
        if value.proposed_id != value.final_id:
            changes[value.decision_id].append((value, *paths))
    return [DecisionLine(one, settled.get(one.pk, ""), changes[one.pk]) for one in decisions]


def _similar(ticket: Ticket, proposal: Proposal | None, choices: Catalogue) -> list[Solved]:
    alike = {
        item["ticket"]: float(item["similarity"])
        for item in (proposal.similar[:SIMILAR_SHOWN] if proposal else [])
    }
    main = ticket.source.fields.filter(is_main=True).first()
    solved = [
        Solved(
            outcome=outcome,
            similarity=alike[pk],
            path=choices.key_path(main, outcome.ticket.values[main.key])
            if main and outcome.ticket.values.get(main.key)
            else "",
        )
        for pk, outcome in outcomes(alike).items()
    ]
    return sorted(solved, key=lambda one: -one.similarity)


def _events(ticket: Ticket, choices: Catalogue) -> list[tuple[TicketEvent, str]]:
    return [(event, choices.path(event.choice_id)) for event in ticket.events.all()]


def _requester(ticket: Ticket) -> Requester | None:
    if not ticket.requester:
        return None
    counts = Ticket.objects.filter(
        source=ticket.source_id, requester=ticket.requester, opened_at__lte=ticket.opened_at
    ).aggregate(nth=Count("pk"), recent=Count("pk", Q(opened_at__gte=ticket.opened_at - RECENT)))
    return Requester(nth=counts["nth"], recent=counts["recent"])
