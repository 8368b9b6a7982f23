"""The steps of one ticket, in order: receive, propose (predict, rules, rung), apply, record_label.

Each step may be repeated: run twice, it leaves what one run leaves.
"""

import logging
from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from triage import bulk, evidence, ledger, shadows
from triage.drafts import Draft, drafts
from triage.drawing import TO_PEOPLE, drawn, drawn_again
from triage.effects import plan
from triage.intake import inbox
from triage.jobs import leases
from triage.jobs.doorbell import ring_after_commit
from triage.jobs.lanes import Lane
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
from triage.waiting import waiting_row

logger = logging.getLogger(__name__)


@transaction.atomic
def receive(delivery_ids: Sequence[int], *, jobs: Sequence[Job] = ()) -> None:
    """Read deliveries into tickets and events and put the triage jobs that they call for.

    The jobs that asked for it end in the same transaction. Unknown ids are passed over.
    """
    rows = Delivery.objects.filter(pk__in=bulk.among(delivery_ids)).select_related("source")
    deliveries = list(rows.order_by("pk"))
    due = inbox.read(deliveries)
    if due:
        leases.put(Job.Kind.PROPOSE, due)
    leases.finish(jobs)
    logger.info("%s deliveries read, %s versions to triage", len(deliveries), len(due))


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
            for proposal in Proposal.objects.select_related("ticket__source").filter(
                ticket_version__in=bulk.among(newest)
            )
        }
        wanted = [draft for draft in made if draft.version.pk in newest]
        kept = [draft for draft in wanted if draft.version.pk not in before]
        _bring_back([(d, before[d.version.pk]) for d in wanted if d.version.pk in before])
        leases.finish(jobs)
        # Last, because it ends with the ledger, for which all other writers wait.
        _write(kept)
    if kept:
        logger.info("proposed for tickets %s", ", ".join(str(d.version.ticket_id) for d in kept))
    return len(kept)


def _locked(made: Sequence[Draft]) -> set[int]:
    """Primary keys of the newest versions of open tickets, with the tickets locked."""
    tickets = sorted({draft.version.ticket_id for draft in made})
    rows = Ticket.objects.select_for_update().filter(pk__in=bulk.among(tickets)).order_by("pk")
    open_tickets = [pk for pk, closed_at in rows.values_list("pk", "closed_at") if not closed_at]
    newest = inbox.news(TicketVersion.objects.filter(ticket_id__in=bulk.among(open_tickets)))
    ordered = newest.order_by("ticket_id", "-version").distinct("ticket_id")
    return set(ordered.values_list("pk", flat=True))


def _write(kept: Sequence[Draft]) -> None:
    """All rows of all proposals, a few statements whatever their number."""
    if not kept:
        return
    # As text, because it is the same in all rows.
    now = timezone.now().isoformat()
    predicted = _predictions(kept, now)
    blind = drawn(kept)
    ids = bulk.insert(Proposal, [_proposal(draft, now) for draft in kept])
    pairs = list(zip(kept, ids, strict=True))
    bulk.insert(ProposedValue, [row for d, pk in pairs for row in _values(d, pk, predicted)])
    bulk.insert(
        RuleHit, [{"proposal_id": pk, "rule_version_id": hit} for d, pk in pairs for hit in d.hits]
    )
    tickets = bulk.among(draft.version.ticket_id for draft in kept)
    Waiting.objects.filter(ticket__in=tickets).delete()
    # One that was applied without a person waits too, if it was drawn: it looks like any other.
    waits = [(d, pk) for d, pk in pairs if d.route in TO_PEOPLE or d.version.ticket_id in blind]
    bulk.insert(Waiting, [_waiting(d, pk, blind.get(d.version.ticket_id)) for d, pk in waits])
    _notify(kept)
    _act(pairs, blind)
    leases.put(Job.Kind.EVIDENCE, ids)
    if shadowed := [draft.version.pk for draft in kept if draft.has_shadows]:
        leases.put(Job.Kind.SHADOW, shadowed)
    ledger.append_all([_entry(draft, pk) for draft, pk in pairs])


def _predictions(kept: Sequence[Draft], now: str) -> dict[tuple[int, int], int]:
    """Stores them all; answers their primary keys by ticket version and model version."""
    rows = [row for draft in kept for row in draft.predictions.values()]
    ids = bulk.insert(
        Prediction,
        [
            {
                "ticket_version_id": row.ticket_version_id,
                "model_version_id": row.model_version_id,
                "probabilities": row.probabilities,
                "in_scope": row.in_scope,
                "tier": row.tier,
                "words_for": [],
                "words_against": [],
                "created_at": now,
            }
            for row in rows
        ],
    )
    return {
        (row.ticket_version_id, row.model_version_id): pk for row, pk in zip(rows, ids, strict=True)
    }


def _bring_back(again: Sequence[tuple[Draft, Proposal]]) -> None:
    """Proposals that left the queue because their ticket was closed, and nobody decided, wait."""
    settled = plan.settled(proposal.pk for _, proposal in again)
    rows = [
        waiting_row(proposal)
        for _, proposal in again
        if proposal.route in TO_PEOPLE and proposal.pk not in settled
    ]
    for row in rows:
        row.blind_at = drawn_again(row.proposal)
    Waiting.objects.bulk_create(rows, ignore_conflicts=True)


def _proposal(draft: Draft, now: str) -> dict[str, Any]:
    return {
        "ticket_id": draft.version.ticket_id,
        "ticket_version_id": draft.version.pk,
        "route": draft.route,
        "playbook_id": draft.playbook.pk if draft.playbook else None,
        "reply": draft.reply,
        "similar": [],
        "created_at": now,
    }


def _values(
    draft: Draft, proposal_id: int, predicted: Mapping[tuple[int, int], int]
) -> list[dict[str, Any]]:
    rows = []
    for key, value in draft.values.items():
        fresh = draft.predictions.get(key)
        rows.append(
            {
                "proposal_id": proposal_id,
                "field_id": draft.field_ids[key],
                "choice_id": draft.choice_id(key, value.choice),
                "basis": value.basis,
                "level": value.level,
                "probability": value.probability,
                "prediction_id": predicted[draft.version.pk, fresh.model_version_id]
                if fresh
                else None,
                "rule_version_id": value.rule_version,
                "doubt": value.doubt,
                "asked": value.asked,
            }
        )
    return rows


def _waiting(draft: Draft, proposal_id: int, blind_at: float | None) -> dict[str, Any]:
    main, worth = draft.values.get(draft.main), draft.worth
    opened_at = draft.version.ticket.opened_at
    return {
        "proposal_id": proposal_id,
        "ticket_id": draft.version.ticket_id,
        "source_id": draft.version.ticket.source_id,
        "main_choice_id": draft.choice_id(draft.main, main.choice) if main else None,
        "choices": [
            draft.choice_id(key, value.choice)
            for key, value in draft.values.items()
            if value.choice is not None
        ],
        "urgency": draft.urgency,
        "is_held": draft.route == Proposal.Route.HOLD,
        "with_playbook": draft.playbook is not None,
        "uncertainty": worth.uncertainty,
        "novelty": worth.novelty,
        "since": opened_at,
        "target_minutes": worth.target_minutes,
        "look_by": worth.look_by(opened_at),
        "blind_at": blind_at,
    }


def _notify(kept: Sequence[Draft]) -> None:
    notices = [
        RuleNotice(rule_version_id=version, ticket_id=draft.version.ticket_id, to=to)
        for draft in kept
        for version, to in draft.notices
    ]
    if not notices:
        return
    RuleNotice.objects.bulk_create(notices, ignore_conflicts=True)
    unsent = RuleNotice.objects.filter(
        ticket__in={n.ticket_id for n in notices}, sent_at__isnull=True
    )
    leases.put(Job.Kind.NOTICE, unsent.values_list("pk", flat=True))
    ring_after_commit(Lane.EFFECTS)


def _act(pairs: Sequence[tuple[Draft, int]], blind: Container[int]) -> None:
    """What happens without a person: auto applies, prefill leaves a marked note.

    Of what is answered first, no suggestion may stand in the helpdesk before the answer.
    """
    acting = {
        pk: draft
        for draft, pk in pairs
        if draft.route == Proposal.Route.AUTO
        or (draft.is_prefilled and draft.version.ticket_id not in blind)
    }
    rows = Proposal.objects.filter(pk__in=acting).select_related(
        "ticket__source", "ticket_version", "playbook"
    )
    for proposal in rows.order_by("pk") if acting else ():
        draft = acting[proposal.pk]
        if draft.route == Proposal.Route.AUTO:
            plan.automatic(proposal, draft.automatic_keys(), with_playbook=draft.playbook_is_auto)
        else:
            plan.prefill(proposal, draft.final_keys())


def explain(proposal_ids: Sequence[int], *, jobs: Sequence[Job] = ()) -> None:
    """Add the evidence to proposals; done again, it is found anew and replaced.

    The jobs that asked for it end in the same transaction. Unknown ids are passed over.
    """
    proposals, predictions = evidence.gather(proposal_ids)
    with transaction.atomic():
        Proposal.objects.bulk_update(proposals, evidence.FOUND_LATER)
        Prediction.objects.bulk_update(predictions, evidence.CITED)
        leases.finish(jobs)


def _entry(draft: Draft, proposal_id: int) -> ledger.Entry:
    return ledger.Entry(
        kind=LedgerEntry.Kind.PROPOSAL,
        subject=f"proposal:{proposal_id}",
        payload=draft.record(),
    )


def shadow(version_ids: Sequence[int], *, jobs: Sequence[Job] = ()) -> None:
    """Store what the models in shadow say of ticket versions; what was said before stays.

    The jobs that asked for it end in the same transaction. Unknown ids are passed over.
    """
    rows = shadows.predictions(version_ids)
    with transaction.atomic():
        Prediction.objects.bulk_create(rows, ignore_conflicts=True)
        leases.finish(jobs)


@transaction.atomic
def apply(
    proposal: Proposal,
    *,
    values: Mapping[str, str],
    note: str,
    with_playbook: bool = False,
    turn: int = 1,
    seen_version: int | None = None,
) -> list[Effect]:
    """Plan the effects of a person's decision; a second call for the same turn adds none.

    `turn` counts what was decided on, or applied for, the proposal so far, this one included.
    """
    if proposal.route == Proposal.Route.AUTO and turn == 2 and seen_version is None:
        # A check of what was applied without a person: what stands there is not written again.
        values = plan.unwritten(proposal, values)
    return plan.decided(
        proposal,
        values,
        note=note,
        with_playbook=with_playbook,
        turn=turn,
        seen_version=seen_version,
    )


@transaction.atomic
def take_back(proposal: Proposal, *, turn: int, by: str) -> list[Effect]:
    """Plan what makes the effects of a decision good; a second call adds none."""
    return plan.taken_back(proposal, turn=turn, by=by)


@transaction.atomic
def wait_again(proposal: Proposal) -> None:
    """Let a proposal wait for a person, its ticket open. The caller holds the ticket's row.

    If the ticket has a newer version, that is what will be proposed for instead.
    """
    Ticket.objects.filter(pk=proposal.ticket_id).update(closed_at=None)
    versions = TicketVersion.objects.filter(ticket=proposal.ticket_id)
    newest = inbox.news(versions).order_by("-version").first()
    if newest is not None and newest.pk != proposal.ticket_version_id:
        leases.put(Job.Kind.PROPOSE, [newest.pk])
        ring_after_commit(Lane.TRIAGE)
        return
    Waiting.objects.bulk_create([waiting_row(proposal)], ignore_conflicts=True)


def relabel(ticket: Ticket, truths: Mapping[Field, Choice]) -> None:
    """Make these, by field, the ticket's labels from decisions; others of that origin go.

    A label that says the same already stays as it is.
    """
    labels = Label.objects.filter(ticket=ticket, origin=Label.Origin.DECISION)
    known = dict(labels.values_list("field_id", "choice_id"))
    if known.keys() - {field.pk for field in truths}:
        labels.exclude(field__in=truths).delete()
    for field, choice in truths.items():
        if known.get(field.pk) != choice.pk:
            record_label(ticket, field, choice, origin=Label.Origin.DECISION)


def record_label(
    ticket: Ticket,
    field: Field,
    choice: Choice,
    *,
    origin: str,
    propensity: float | None = None,
    told_at: datetime | None = None,
) -> Label:
    """Store a truth; a later one of the same origin replaces the earlier.

    `told_at`, of a label that is new: when somebody said first what it rests on, if that was
    earlier. A model trained since may know it, so it must not count as news about that model.
    """
    label, is_new = Label.objects.update_or_create(
        ticket=ticket,
        field=field,
        origin=origin,
        defaults={"choice": choice, "propensity": propensity},
    )
    if is_new and told_at is not None:
        Label.objects.filter(pk=label.pk).update(created_at=told_at)
    return label


def withdraw_label(ticket: Ticket, field: Field, *, origin: str) -> None:
    """What was taken for a truth is none, or none yet: it teaches and certifies nothing."""
    Label.objects.filter(ticket=ticket, field=field, origin=origin).delete()
