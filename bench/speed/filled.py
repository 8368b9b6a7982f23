"""A desk with a past, made inside the database by the million: tickets, proposals, decisions.

Of twenty tickets one waits for a person and five were decided by one; the others are older than
the service. Requesters, categories and teams come as they do: few often, many seldom, and one
mailbox that writes every fiftieth ticket. Where reports are asked for, more is on record:
bench/speed/on_record.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from bench.speed.solved import without_word_indexes
from bench.world import Desk
from review.models import Reason
from triage.models import Choice, Field, ModelVersion, Waiting
from triage.policy.worth import Worth, target_minutes

REQUESTERS = 20_000
SENTENCES = 2
EVERY_WAITING, EVERY_DECIDED, EVERY_HELD = 20, 4, 400


# A stretch of time around its middle, some very short and some very long.
SPREAD = "exp(2.5 * (random() + random() + random() - 1.5))"
IS_AUTO = "coalesce(number %% nullif(%(auto)s::int, 0) = 3, false)"


def one_of(name: str, kind: str = "bigint") -> str:
    """SQL for an element of an array, the first ones more often than the last."""
    array = f"(%({name})s::{kind}[])"
    return f"{array}[1 + floor(cardinality({array}) * power(random(), 2))::int]"


# The values of each proposal, and what was made of them, in steps that each read the one before.
STEPS = (
    "CREATE TEMP TABLE made (id bigint, number bigint, opened timestamptz)",
    f"""
    WITH stored AS (
        INSERT INTO triage_ticket (
            source_id, external_id, version, subject, body, requester, requester_name, url,
            "values", opened_at, closed_at, reopened_count, resolution, received_at
        )
        SELECT %(source)s, 'T-' || n, 1, left(said, 40), said,
            CASE WHEN n %% 50 = 7 THEN 'monitoring@bench.example' ELSE
                'person' || floor(%(requesters)s * power(random(), 3)) || '@bench.example' END,
            'A Person', '', '{{}}', at,
            CASE WHEN n %% %(waiting)s = 0 THEN NULL ELSE at + interval '1 day' END,
            0, '', at
        FROM (
            SELECT n, now() - CASE WHEN n %% %(waiting)s = 0 THEN interval '3 days' * random()
                    ELSE interval '4 days' + interval '700 days' * random() END AS at, (
                SELECT string_agg({one_of("sentences", "text")}, ' ')
                FROM generate_series(1, %(length)s + 0 * n)
            ) AS said
            FROM generate_series(%(first)s::bigint, %(last)s) AS n
        ) AS written
        RETURNING id, external_id, opened_at
    )
    INSERT INTO made SELECT id, substr(external_id, 3)::bigint, opened_at FROM stored
    """,
    "DELETE FROM made WHERE number %% %(waiting)s <> 0 AND (number - 1) %% %(decided)s <> 0",
    "CREATE TEMP TABLE proposed (id bigint, ticket bigint, version bigint, number bigint, "
    "opened timestamptz, main bigint, team bigint, priority bigint, rank int, sure float)",
    f"""
    WITH versions AS (
        INSERT INTO triage_ticketversion
            (ticket_id, version, subject, body, "values", delivery_id, created_at)
        SELECT ticket.id, 1, subject, body, '{{}}', NULL, opened_at
        FROM triage_ticket AS ticket JOIN made USING (id)
        RETURNING id, ticket_id
    ), proposals AS (
        INSERT INTO triage_proposal
            (ticket_id, ticket_version_id, route, playbook_id, reply, "similar", created_at)
        SELECT made.id, versions.id,
            CASE WHEN {IS_AUTO} THEN 'auto' WHEN number %% %(held)s = 0 THEN 'hold'
                ELSE 'review' END,
            NULL, '', (
                SELECT jsonb_agg(jsonb_build_object(
                    'ticket', made.id - near * 7, 'similarity', 1 - near / 10.0))
                FROM generate_series(1, 3) AS near
            ), opened + interval '3 seconds'
        FROM made JOIN versions ON versions.ticket_id = made.id
        RETURNING id, ticket_id, ticket_version_id
    )
    INSERT INTO proposed
    SELECT proposals.id, made.id, ticket_version_id, number, opened,
        {one_of("mains")}, {one_of("teams")},
        (%(priorities)s::bigint[])[1 + number %% cardinality(%(priorities)s::bigint[])],
        number %% cardinality(%(priorities)s::bigint[]), 0.3 + 0.69 * random()
    FROM proposals JOIN made ON made.id = proposals.ticket_id
    """,
    """
    WITH predicted AS (
        INSERT INTO triage_prediction (
            ticket_version_id, model_version_id, probabilities, in_scope, tier, words_for,
            words_against, created_at
        )
        SELECT version, %(model)s, jsonb_build_object(choice.key, sure), random(), 1,
            '["network"]', '["please"]', opened
        FROM proposed JOIN triage_choice AS choice ON choice.id = main
        RETURNING id, ticket_version_id
    )
    INSERT INTO triage_proposedvalue (
        proposal_id, field_id, choice_id, basis, level, probability, prediction_id,
        rule_version_id, doubt, asked
    )
    SELECT proposed.id, field, choice, basis, 'suggest',
        CASE basis WHEN 'model' THEN sure END,
        CASE basis WHEN 'model' THEN predicted.id END, NULL, '', NULL
    FROM proposed JOIN predicted ON ticket_version_id = version
    CROSS JOIN LATERAL (VALUES
        (%(main)s::bigint, main, 'model'),
        (%(team)s::bigint, team, 'follows'),
        (%(priority)s::bigint, priority, 'helpdesk')
    ) AS value (field, choice, basis)
    """,
    f"""
    WITH decisions AS (
        INSERT INTO review_decision (
            proposal_id, stands_for_id, reviewer_id, verdict, reason_id, text, with_playbook,
            decided_at, batch_id, seconds_since_last
        )
        SELECT id, id,
            (%(reviewers)s::bigint[])[1 + number %% cardinality(%(reviewers)s::bigint[])],
            CASE WHEN number %% 7 = 0 THEN 'overridden' ELSE 'accepted' END,
            NULL, '', false, opened + interval '20 minutes' * {SPREAD}, NULL,
            2 + number %% 150
        FROM proposed WHERE number %% %(waiting)s <> 0 AND NOT {IS_AUTO}
        RETURNING id, proposal_id
    )
    INSERT INTO review_decidedvalue (decision_id, field_id, proposed_id, final_id, reason_id)
    SELECT decisions.id, field, choice,
        CASE WHEN field = %(main)s AND number %% 7 = 0 THEN (%(mains)s::bigint[])[1]
            ELSE choice END,
        %(reason)s
    FROM decisions JOIN proposed ON proposed.id = proposal_id
    CROSS JOIN LATERAL (VALUES
        (%(main)s::bigint, main), (%(team)s::bigint, team), (%(priority)s::bigint, priority)
    ) AS value (field, choice)
    """,
    """
    INSERT INTO triage_effect (
        key, ticket_id, proposal_id, position, kind, payload, seen_version, state, detail,
        created_at
    )
    SELECT 'p' || id || '-' || kind, ticket, id, 0, kind, '{}', 1, 'applied', '', opened
    FROM proposed CROSS JOIN (VALUES ('values'), ('note')) AS made (kind)
    WHERE number %% %(waiting)s <> 0
    """,
    f"""
    INSERT INTO triage_ticketevent (ticket_id, key, kind, happened_at, choice_id, score)
    SELECT ticket, kind, kind, opened + interval '3 hours' * {SPREAD}, NULL, NULL
    FROM proposed CROSS JOIN (VALUES ('reassigned'), ('resolved')) AS happened (kind)
    WHERE number %% %(waiting)s <> 0
    """,
)
WAITING = (
    "SELECT id, ticket, main, team, priority, rank, sure, number, opened FROM proposed "
    "WHERE number %% %(waiting)s = 0"
)


@dataclass(frozen=True)
class Ground:
    """What the rows refer to."""

    desk: Desk
    model: ModelVersion
    reason: Reason
    sentences: list[str]
    reviewers: list[int]

    def names(self) -> Mapping[str, Any]:
        fields = {field.key: field.pk for field in Field.objects.filter(source=self.desk.source)}

        def choices(key: str) -> list[int]:
            found = Choice.objects.filter(field=fields[key]).order_by("rank", "pk")
            return list(found.values_list("pk", flat=True))

        return {
            "source": self.desk.source.pk,
            "reviewers": self.reviewers,
            "model": self.model.pk,
            "reason": self.reason.pk,
            "sentences": self.sentences,
            "length": SENTENCES,
            "requesters": REQUESTERS,
            "waiting": EVERY_WAITING,
            "held": EVERY_HELD,
            "main": fields["category"],
            "team": fields["team"],
            "priority": fields["priority"],
            "mains": choices("category"),
            "teams": choices("team"),
            "priorities": choices("priority"),
        }


def fill(
    ground: Ground,
    first: int,
    last: int,
    *,
    every_decided: int = EVERY_DECIDED,
    auto: int = 0,
    more: Sequence[str] = (),
) -> None:
    """Tickets number `first` to `last`, with all that hangs on them.

    One of `auto` was applied without a person; 0: none. `more` are steps after the others.
    """
    names = {**ground.names(), "first": first, "last": last, "decided": every_decided, "auto": auto}
    with without_word_indexes(), connection.cursor() as cursor:
        for step in (*STEPS, *more):
            cursor.execute(step, names)
        cursor.execute(WAITING, names)
        Waiting.objects.bulk_create(
            [_waiting(ground, *row) for row in cursor.fetchall()], batch_size=2_000
        )
        cursor.execute("DROP TABLE made, proposed")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _waiting(
    ground: Ground,
    proposal: int,
    ticket: int,
    main: int,
    team: int,
    priority: int,
    rank: int,
    sure: float,
    number: int,
    opened: datetime,
) -> Waiting:
    worth = Worth(target_minutes(rank), uncertainty=1 - sure, novelty=number % 97 / 97)
    return Waiting(
        proposal_id=proposal,
        ticket_id=ticket,
        source=ground.desk.source,
        main_choice_id=main,
        choices=[main, team, priority],
        urgency=rank,
        is_held=number % EVERY_HELD == 0,
        uncertainty=worth.uncertainty,
        novelty=worth.novelty,
        since=opened,
        target_minutes=worth.target_minutes,
        look_by=worth.look_by(opened),
    )
