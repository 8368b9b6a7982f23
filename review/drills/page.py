"""The page of a drill: the past ticket as if it had just come in, with the advice of the drill.

Rows are changed in memory alone, and nothing here is ever saved.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from review.catalogue import Catalogue
from review.lines import Line, lines_of, track_of
from review.models import Drill
from review.queue import QueuePage, row_of
from review.ticket import TicketPage, similar_to
from review.told import Hit, told
from triage.models import Choice, Proposal, ProposedValue, Ticket, Waiting
from triage.policy.worth import Worth
from triage.waiting import waiting_row

# So long before it is shown the ticket seems to have been opened, and some minutes more.
OPENED_BEFORE = timedelta(minutes=4)
MINUTES_MORE = 23


def drill_page(drill: Drill, choices: Catalogue) -> TicketPage:
    """What live work would look like: nothing that happened to the ticket since is on it."""
    found = told(drill.proposal.ticket_id)
    ticket, proposal = found.ticket, drill.proposal
    proposal.ticket = ticket
    _look_new(ticket, proposal, drill)
    lines = _advised(drill, choices)
    is_newest = found.proposal is not None and found.proposal.pk == proposal.pk
    return TicketPage(
        ticket=ticket,
        state="waiting",
        proposal=proposal,
        lines=lines,
        hits=_hits(found.hits if is_newest else [], lines),
        holders=[],
        decisions=[],
        effects=[],
        similar=similar_to(ticket, proposal, choices),
        is_being_explained=False,
        events=[],
        events_cut=False,
        versions=[],
        requester=found.requester,
        waiting=_waiting(drill, lines),
    )


def told_page(drill: Drill, choices: Catalogue) -> TicketPage:
    """The same ticket once the drill is over, with its own times."""
    page = drill_page(drill, choices)
    real = Ticket.objects.only("opened_at", "closed_at").get(pk=page.ticket.pk)
    page.ticket.opened_at, page.ticket.closed_at = real.opened_at, real.closed_at
    made = Proposal.objects.values_list("created_at", flat=True).get(pk=drill.proposal_id)
    drill.proposal.created_at = made
    return replace(page, state="drilled", waiting=None)


def among(queue: QueuePage, waiting: Waiting | None, choices: Catalogue) -> QueuePage:
    """The list with the drill's ticket in its place, for this person's eyes."""
    if waiting is None:
        return queue
    rows = sorted(
        [*queue.rows, row_of(waiting, choices)],
        key=lambda row: (not row.waiting.is_held, row.waiting.look_by, row.waiting.proposal_id),
    )
    return replace(queue, rows=rows, total=queue.total + 1)


def _look_new(ticket: Ticket, proposal: Proposal, drill: Drill) -> None:
    minutes = timedelta(minutes=drill.pk % MINUTES_MORE)
    ticket.opened_at = drill.shown_at - OPENED_BEFORE - minutes
    ticket.closed_at = None
    ticket.reopened_count = 0
    ticket.subject = proposal.ticket_version.subject
    ticket.body = proposal.ticket_version.body
    proposal.created_at = ticket.opened_at + timedelta(minutes=1)
    proposal.route = Proposal.Route.REVIEW


def _hits(hits: Sequence[Hit], lines: Sequence[Line]) -> list[Hit]:
    named = {line.value.rule_version_id for line in lines}
    return [hit for hit in hits if hit.rule_version not in named]


def _waiting(drill: Drill, lines: Sequence[Line]) -> Waiting:
    row = waiting_row(drill.proposal)
    row.ticket = drill.proposal.ticket
    row.main_choice_id = drill.advice_id
    row.choices = [line.value.choice_id for line in lines if line.value.choice_id]
    row.look_by = _look_by(row, row.since)
    return row


def _look_by(row: Waiting, since: datetime) -> datetime:
    return Worth(row.target_minutes, row.uncertainty, row.novelty).look_by(since)


def _advised(drill: Drill, choices: Catalogue) -> list[Line]:
    lines = lines_of(drill.proposal, choices)
    advice = choices.by_pk[drill.advice_id]
    is_recorded = any(
        line.value.field.is_main and line.value.choice_id == advice.pk for line in lines
    )
    if is_recorded:
        return lines
    return [_with_advice(line, advice, choices) for line in lines]


def _with_advice(line: Line, advice: Choice, choices: Catalogue) -> Line:
    """The main line with other advice, and what follows from that; other fields as they were.

    What spoke against the recorded value speaks for the other. The figures stay the recorded ones.
    """
    value = line.value
    if value.field.is_main:
        former = line.path
        value.choice = advice
        return replace(
            line,
            path=choices.path(advice.pk),
            track=track_of(advice.pk),
            words_for=line.words_against or line.words_for,
            words_against=line.words_for if line.words_against else [],
            runner_up=former,
        )
    if value.basis != ProposedValue.Basis.FOLLOWS:
        return line
    value.choice = choices.implied(advice.pk, value.field_id)
    if value.choice is None:
        value.basis = ProposedValue.Basis.NONE
        return replace(line, path="", track=None)
    return replace(line, path=choices.path(value.choice.pk), track=track_of(value.choice.pk))
