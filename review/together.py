"""Proposals that are decided together: those that say the same, or any list that is drawn up."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Left
from django.utils import timezone

from review.catalogue import Catalogue
from review.models import Lease
from review.queue import QueueFilter, waiting
from triage.models import Playbook, Proposal, ProposedValue, Waiting

# So many waiting proposals are compared, and so many can be decided in one go.
MOST_COMPARED = 500
MOST_AT_ONCE = 100
# From this probability on a proposal is ticked from the start.
SURE_FROM = 0.8
# Less typical than this share of what was learnt from: a person looks before it is ticked.
USUAL_FROM = 0.05
START_LENGTH = 220


@dataclass(frozen=True)
class Member:
    """One of them. `start` is how the ticket's text begins; `value` what its main field gets."""

    waiting: Waiting
    start: str
    value: ProposedValue | None
    is_sure: bool
    is_ticked: bool


@dataclass(frozen=True)
class Together:
    """`shared` are the values that all have: name of the field, path of the choice."""

    members: list[Member]
    shared: list[tuple[str, str]]
    playbook: Playbook | None

    @property
    def sure(self) -> list[Member]:
        return [member for member in self.members if member.is_sure]

    @property
    def unsure(self) -> list[Member]:
        return [member for member in self.members if not member.is_sure]


def is_leased(person: User) -> Exists:
    """Whether somebody else looks at the ticket of a waiting row."""
    leases = Lease.objects.filter(ticket=OuterRef("ticket"), until__gt=timezone.now())
    return Exists(leases.exclude(holder=person))


def equal_to(
    proposal: Proposal, chosen: QueueFilter, choices: Catalogue, person: User
) -> list[int]:
    """The proposals of the filter that say the same, by primary key, this one first.

    The same source, playbook, and value of every field, the open ones included. Left out is what
    a rule holds, what somebody else looks at, and what is to be answered blind. Empty unless the
    proposal itself may be decided so. No more than MOST_COMPARED are looked at.
    """
    own = Waiting.objects.filter(proposal=proposal, main_choice__isnull=False)
    row = _free(own, person).first()
    if row is None:
        return []
    rows = waiting(chosen, choices).filter(
        source=row.source_id,
        main_choice=row.main_choice_id,
        proposal__playbook=proposal.playbook_id,
    )
    said = set(row.choices)
    compared = _free(rows, person).values_list("proposal", "choices")[:MOST_COMPARED]
    alike = [pk for pk, other in compared if pk != proposal.pk and set(other) == said]
    return [proposal.pk, *alike]


def _free(rows: QuerySet[Waiting], person: User) -> QuerySet[Waiting]:
    return rows.filter(~is_leased(person), is_held=False, blind_at__isnull=True)


def sources_of(proposals: Sequence[int]) -> set[int]:
    rows = Proposal.objects.filter(pk__in=proposals)
    return set(rows.values_list("ticket__source", flat=True))


def together(
    proposals: Sequence[int], choices: Catalogue, *, ticked: Collection[int] | None = None
) -> Together:
    """Those of the proposals that wait, in the order of the queue, MOST_AT_ONCE at the most.

    `ticked` by primary key; None: those that are sure.
    """
    rows = list(
        Waiting.objects.filter(proposal__in=proposals[:MOST_AT_ONCE])
        .select_related("ticket", "proposal__playbook")
        # Not the body: it may have a quarter of a megabyte.
        .defer("ticket__body", "ticket__search", "ticket__resolution", "proposal__similar")
        .annotate(start=Left("ticket__body", START_LENGTH))
        .order_by("look_by", "proposal")
    )
    values = _values(row.proposal_id for row in rows)
    members = [
        _member(row, next((v for v in values[row.proposal_id] if v.field.is_main), None), ticked)
        for row in rows
    ]
    playbooks = {row.proposal.playbook for row in rows}
    return Together(
        members=members,
        shared=_shared([values[row.proposal_id] for row in rows], choices),
        playbook=playbooks.pop() if len(playbooks) == 1 else None,
    )


def _values(proposals: Iterable[int]) -> dict[int, list[ProposedValue]]:
    found: dict[int, list[ProposedValue]] = defaultdict(list)
    rows = ProposedValue.objects.filter(proposal__in=list(proposals))
    for value in rows.select_related("field", "prediction").defer("prediction__probabilities"):
        found[value.proposal_id].append(value)
    return found


def _member(row: Waiting, value: ProposedValue | None, ticked: Collection[int] | None) -> Member:
    is_sure = value is not None and _is_sure(value)
    return Member(
        waiting=row,
        start=" ".join(getattr(row, "start", "").split()),
        value=value,
        is_sure=is_sure,
        is_ticked=is_sure if ticked is None else row.proposal_id in ticked,
    )


def _is_sure(value: ProposedValue) -> bool:
    """What an owner's rule sets is sure; a model has to be, and at home with such tickets."""
    if value.basis == ProposedValue.Basis.RULE:
        return True
    usual = value.prediction is None or value.prediction.in_scope >= USUAL_FROM
    return usual and (value.probability or 0.0) >= SURE_FROM


def _shared(said: Sequence[list[ProposedValue]], choices: Catalogue) -> list[tuple[str, str]]:
    if not said:
        return []
    common = set.intersection(*({(v.field_id, v.choice_id) for v in values} for values in said))
    return [
        (value.field.name, choices.path(value.choice_id))
        for value in said[0]
        if (value.field_id, value.choice_id) in common
    ]
