"""Rows of the queue made anew: for a proposal that comes back, and when targets were changed."""

from collections.abc import Iterable, Sequence

from django.db import connection

from triage.models import Choice, Proposal, ProposedValue, Source, Waiting
from triage.policy.worth import Worth, target_minutes

RANKED_AT_ONCE = 5_000


def waiting_row(proposal: Proposal) -> Waiting:
    """The row, not stored, by which a proposal waits for a person; worked out from its values."""
    values = list(proposal.values.select_related("field", "choice", "prediction"))
    main = next((value for value in values if value.field.is_main), values[0] if values else None)
    ordered = [v.choice for v in values if v.choice is not None and v.field.is_ordered]
    worth = Worth(
        target_minutes=_target(ordered),
        uncertainty=1.0 - (main.probability or 0.0) if main else 1.0,
        novelty=_novelty(main),
    )
    opened_at = proposal.ticket.opened_at
    return Waiting(
        proposal=proposal,
        ticket_id=proposal.ticket_id,
        source_id=proposal.ticket.source_id,
        main_choice_id=main.choice_id if main is not None else None,
        choices=[value.choice_id for value in values if value.choice_id is not None],
        urgency=max((choice.rank for choice in ordered), default=0),
        is_held=proposal.route == Proposal.Route.HOLD,
        with_playbook=proposal.playbook_id is not None,
        uncertainty=worth.uncertainty,
        novelty=worth.novelty,
        since=opened_at,
        target_minutes=worth.target_minutes,
        look_by=worth.look_by(opened_at),
    )


def rank_again(source: Source) -> int:
    """Put what waits of a source in the order of its present targets; answers how many rows moved.

    For when an owner changed a priority's target or rank. Some thousand rows in each statement,
    so that nobody's decision waits for all of them; may be repeated.
    """
    ordered = Choice.objects.filter(field__source=source, field__is_ordered=True).in_bulk()
    moved = []
    rows = Waiting.objects.filter(source=source).only(
        "choices", "urgency", "uncertainty", "novelty", "since", "target_minutes", "look_by"
    )
    for row in rows.iterator(RANKED_AT_ONCE):
        given = [ordered[pk] for pk in row.choices if pk in ordered]
        worth = Worth(_target(given), row.uncertainty, row.novelty)
        urgency = max((choice.rank for choice in given), default=0)
        now = (worth.target_minutes, worth.look_by(row.since), urgency)
        if now != (row.target_minutes, row.look_by, row.urgency):
            moved.append((row.pk, *now))
    for start in range(0, len(moved), RANKED_AT_ONCE):
        _move(moved[start : start + RANKED_AT_ONCE])
    return len(moved)


def _move(rows: Sequence[tuple[object, ...]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE triage_waiting SET target_minutes = moved.target, look_by = moved.look_by, "
            "urgency = moved.urgency "
            "FROM unnest(%s::bigint[], %s::integer[], %s::timestamptz[], %s::smallint[]) "
            "AS moved (proposal, target, look_by, urgency) "
            "WHERE proposal_id = moved.proposal",
            columns,
        )


def _target(ordered: Iterable[Choice]) -> int:
    """The shortest target of the priorities; without any, that of a ticket without one."""
    return min(
        (target_minutes(choice.rank, choice.target_minutes) for choice in ordered),
        default=target_minutes(None),
    )


def _novelty(main: ProposedValue | None) -> float:
    prediction = main.prediction if main is not None else None
    return 0.0 if prediction is None else 1.0 - prediction.in_scope
