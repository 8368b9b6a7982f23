"""The steps of one ticket, in order: receive, propose (predict, rules, rung), apply, record_label.

Each step may be repeated: run twice, it leaves what one run leaves.
"""

import logging
from collections.abc import Mapping, Sequence

from django.db import transaction

from triage import ledger
from triage.drafts import Draft, drafts
from triage.effects import plan
from triage.intake import inbox
from triage.jobs import leases
from triage.models import (
    Choice,
    Delivery,
    Effect,
    Field,
    Job,
    Label,
    LedgerEntry,
    Prediction,
    Proposal,
    ProposedValue,
    RuleHit,
    RuleNotice,
    Ticket,
    TicketVersion,
    Waiting,
)

logger = logging.getLogger(__name__)


def receive(delivery: Delivery) -> None:
    """Read one delivery into a ticket or event and put the triage job it calls for."""
    with transaction.atomic():
        version = inbox.read(delivery)
        if version is not None:
            leases.put(Job.Kind.PROPOSE, [version.pk])
    logger.info("delivery %s read", delivery.pk)


def propose(version_ids: Sequence[int], *, jobs: Sequence[Job] = ()) -> int:
    """Predict and propose for ticket versions; answers how many proposals were made.

    The jobs that asked for it end in the same transaction.

    Versions that are no longer the newest, or have a proposal, are passed over; a proposal that
    left the queue undecided because its ticket was closed comes back if it is open. Classification
    runs before the transaction; the rows of all tickets are then written together.
    """
    made = drafts(version_ids)
    with transaction.atomic():
        newest = _locked(made)
        before = {
            proposal.ticket_version_id: proposal
            for proposal in Proposal.objects.filter(ticket_version__in=newest)
        }
        wanted = [draft for draft in made if draft.version.pk in newest]
        kept = [draft for draft in wanted if draft.version.pk not in before]
        _write(kept)
        _bring_back([(d, before[d.version.pk]) for d in wanted if d.version.pk in before])
        leases.finish(jobs)
    for draft in kept:
        logger.info("ticket %s proposed: %s", draft.version.ticket_id, draft.route)
    return len(kept)


def _locked(made: Sequence[Draft]) -> set[int]:
    """Primary keys of the newest versions of open tickets, with the tickets locked."""
    tickets = sorted({draft.version.ticket_id for draft in made})
    rows = Ticket.objects.select_for_update().filter(pk__in=tickets).order_by("pk")
    open_tickets = {ticket.pk for ticket in rows if ticket.closed_at is None}
    newest = inbox.news(TicketVersion.objects.filter(ticket_id__in=open_tickets))
    ordered = newest.order_by("ticket_id", "-version").distinct("ticket_id")
    return set(ordered.values_list("pk", flat=True))


def _write(kept: Sequence[Draft]) -> None:
    """All rows of all proposals, a few statements whatever their number."""
    predictions = [p for draft in kept for p in draft.predictions.values()]
    Prediction.objects.bulk_create(predictions, ignore_conflicts=True)
    stored = {
        (p.ticket_version_id, p.model_version_id): p
        for p in Prediction.objects.filter(ticket_version__in=[d.version.pk for d in kept])
    }
    proposals = Proposal.objects.bulk_create([_proposal(draft) for draft in kept])
    values, hits, notices, waiting = [], [], [], []
    for draft, proposal in zip(kept, proposals, strict=True):
        values += _values(draft, proposal, stored)
        hits += [RuleHit(proposal=proposal, rule_version_id=v) for v in draft.hits]
        notices += [
            RuleNotice(rule_version_id=v, ticket_id=draft.version.ticket_id, to=to)
            for v, to in draft.notices
        ]
        if draft.route in (Proposal.Route.REVIEW, Proposal.Route.HOLD):
            waiting.append(_waiting(draft, proposal))
    ProposedValue.objects.bulk_create(values)
    RuleHit.objects.bulk_create(hits)
    Waiting.objects.filter(ticket__in=[d.version.ticket_id for d in kept]).delete()
    Waiting.objects.bulk_create(waiting)
    _notify(notices)
    for draft, proposal in zip(kept, proposals, strict=True):
        _act(draft, proposal)
    ledger.append_all([_entry(d, p) for d, p in zip(kept, proposals, strict=True)])


def _bring_back(again: Sequence[tuple[Draft, Proposal]]) -> None:
    """Proposals that left the queue because their ticket was closed, and nobody decided, wait."""
    to_people = (Proposal.Route.REVIEW, Proposal.Route.HOLD)
    settled = plan.settled(proposal.pk for _, proposal in again)
    Waiting.objects.bulk_create(
        [
            _waiting_again(draft, proposal)
            for draft, proposal in again
            if proposal.route in to_people and proposal.pk not in settled
        ],
        ignore_conflicts=True,
    )


def _waiting_again(draft: Draft, proposal: Proposal) -> Waiting:
    values = list(proposal.values.select_related("field", "choice"))
    main = next((value for value in values if value.field.key == draft.main), None)
    probability = main.probability if main is not None else None
    ranks = [v.choice.rank for v in values if v.choice is not None and v.field.is_ordered]
    return Waiting(
        proposal=proposal,
        ticket_id=proposal.ticket_id,
        source_id=draft.version.ticket.source_id,
        main_choice_id=main.choice_id if main is not None else None,
        urgency=max(ranks, default=0),
        is_held=proposal.route == Proposal.Route.HOLD,
        uncertainty=1.0 if probability is None else 1.0 - probability,
        since=draft.version.ticket.opened_at,
    )


def _proposal(draft: Draft) -> Proposal:
    return Proposal(
        ticket_id=draft.version.ticket_id,
        ticket_version=draft.version,
        route=draft.route,
        playbook=draft.playbook,
        reply=draft.reply,
        similar=draft.similar,
    )


def _values(
    draft: Draft, proposal: Proposal, stored: Mapping[tuple[int, int], Prediction]
) -> list[ProposedValue]:
    rows = []
    for key, value in draft.values.items():
        fresh = draft.predictions.get(key)
        rows.append(
            ProposedValue(
                proposal=proposal,
                field_id=draft.field_ids[key],
                choice_id=draft.choice_id(key, value.choice),
                basis=value.basis,
                level=value.level,
                probability=value.probability,
                prediction=stored.get((draft.version.pk, fresh.model_version_id))
                if fresh
                else None,
                rule_version_id=value.rule_version,
            )
        )
    return rows


def _waiting(draft: Draft, proposal: Proposal) -> Waiting:
    main = draft.values.get(draft.main)
    probability = main.probability if main is not None else None
    return Waiting(
        proposal=proposal,
        ticket_id=draft.version.ticket_id,
        source_id=draft.version.ticket.source_id,
        main_choice_id=draft.choice_id(draft.main, main.choice) if main else None,
        urgency=draft.urgency,
        is_held=draft.route == Proposal.Route.HOLD,
        uncertainty=1.0 if probability is None else 1.0 - probability,
        since=draft.version.ticket.opened_at,
    )


def _notify(notices: Sequence[RuleNotice]) -> None:
    RuleNotice.objects.bulk_create(notices, ignore_conflicts=True)
    unsent = RuleNotice.objects.filter(
        ticket__in={n.ticket_id for n in notices}, sent_at__isnull=True
    )
    leases.put(Job.Kind.NOTICE, unsent.values_list("pk", flat=True))


def _act(draft: Draft, proposal: Proposal) -> None:
    """What happens without a person: auto applies, prefill leaves a marked note."""
    if draft.route == Proposal.Route.AUTO:
        plan.automatic(proposal, draft.automatic_keys(), with_playbook=draft.playbook_is_auto)
    elif draft.is_prefilled:
        plan.prefill(proposal, draft.final_keys())


def _entry(draft: Draft, proposal: Proposal) -> ledger.Entry:
    return ledger.Entry(
        kind=LedgerEntry.Kind.PROPOSAL,
        subject=f"proposal:{proposal.pk}",
        payload=draft.record(),
    )


@transaction.atomic
def apply(
    proposal: Proposal,
    *,
    values: Mapping[str, str],
    note: str,
    with_playbook: bool = False,
) -> list[Effect]:
    """Plan the effects of a person's decision; a second call for the same proposal adds none."""
    return plan.decided(proposal, values, note=note, with_playbook=with_playbook)


def record_label(
    ticket: Ticket,
    field: Field,
    choice: Choice,
    *,
    origin: str,
    propensity: float | None = None,
) -> Label:
    """Store a truth; a later one of the same origin replaces the earlier."""
    label, _ = Label.objects.update_or_create(
        ticket=ticket,
        field=field,
        origin=origin,
        defaults={"choice": choice, "propensity": propensity},
    )
    return label
