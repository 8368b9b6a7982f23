"""What reports tell of beside decisions: stories of tickets, checks with blind answers, drills.

Steps of bench/speed/filled.py, which read its table of what was proposed. Of a hundred tickets two
were checked, a fifth of them by two people; of two hundred one became a drill.
"""

from bench.speed.filled import IS_AUTO, SPREAD, one_of

EVERY_AUTO = 10
REVIEWERS = 6


def person(further: int) -> str:
    """SQL for a reviewer: the one who decided, or one so many places further."""
    everybody = "(%(reviewers)s::bigint[])"
    return f"{everybody}[1 + (number + {further}) %% cardinality({everybody})]"


# Kind, one of how many tickets, hours after the opening, the choice and the score it bears.
HAPPENED = (
    ("started", 2, 0.2, "NULL", "NULL"),
    ("awaiting", 9, 0.5, "NULL", "NULL"),
    ("paused", 8, 0.6, "NULL", "NULL"),
    ("restarted", 9, 2.0, "NULL", "NULL"),
    ("moved", 6, 1.0, one_of("teams"), "NULL"),
    ("moved back", 12, 2.0, one_of("teams"), "NULL"),
    ("recategorised", 17, 1.5, one_of("mains"), "NULL"),
    ("escalated", 29, 2.0, "NULL", "NULL"),
    ("reopened", 13, 60.0, "NULL", "NULL"),
    ("resolved again", 13, 400.0, "NULL", "NULL"),
    ("commented", 11, 80.0, "NULL", "NULL"),
    ("rated", 5, 100.0, "NULL", "1 + (number %% 7 <> 5)::int * (1 + number %% 4)"),
)
KINDS = {
    "restarted": "started",
    "moved": "reassigned",
    "moved back": "reassigned",
    "resolved again": "resolved",
}
EVENTS = " UNION ALL ".join(
    f"SELECT ticket, '{key}', '{KINDS.get(key, key)}', "
    f"opened + interval '1 hour' * {hours} * {SPREAD}, {choice}::bigint, {score}::smallint "
    f"FROM proposed WHERE number %% %(waiting)s <> 0 AND number %% {every} = {every // 2}"
    for key, every, hours, choice, score in HAPPENED
)
STEPS = (
    "INSERT INTO triage_ticketevent (ticket_id, key, kind, happened_at, choice_id, score) "
    f"{EVENTS}",
    f"""
    INSERT INTO triage_effect (
        key, ticket_id, proposal_id, position, kind, payload, seen_version, state, detail,
        created_at
    )
    SELECT 'p' || id || '-status', ticket, id, 0, 'status', '{{"status": "resolved"}}', 1,
        'applied', '', opened
    FROM proposed WHERE {IS_AUTO} AND number %% 3 = 0
    """,
    "CREATE TEMP TABLE checked (id bigint, number bigint, opened timestamptz, main bigint, "
    "right_one bigint, version bigint, is_twice bool)",
    f"""
    WITH drawn AS (
        INSERT INTO review_spotcheck (proposal_id, propensity, stratum, drawn_at, second_at)
        SELECT id, CASE WHEN opened < now() - interval '1 year' THEN 0.02 ELSE 0.05 END,
            CASE WHEN {IS_AUTO} THEN 'auto' ELSE 'person' END, opened + interval '1 minute',
            CASE WHEN number %% 250 IN (1, 3) THEN 0.2 END
        FROM proposed
        WHERE number %% %(waiting)s <> 0 AND (number %% 50 = 1 OR {IS_AUTO} AND number %% 50 = 3)
        RETURNING id, proposal_id
    )
    INSERT INTO checked
    SELECT drawn.id, number, opened, main,
        CASE WHEN random() < 0.85 THEN main ELSE {one_of("mains")} END, %(model)s,
        number %% 250 IN (1, 3)
    FROM drawn JOIN proposed ON proposed.id = proposal_id
    """,
    f"""
    WITH answers AS (
        INSERT INTO review_blindanswer (check_of_id, reviewer_id, answered_at, seconds, nth)
        SELECT id, {person(0)}, opened + interval '10 minutes', 20 + 60 * random(), 1
        FROM checked WHERE number %% 1000 <> 51
        UNION ALL
        SELECT id, {person(1)}, opened + interval '2 hours', 20 + 60 * random(), 2
        FROM checked WHERE is_twice
        RETURNING id, check_of_id
    )
    INSERT INTO review_blindvalue (answer_id, field_id, choice_id)
    SELECT answers.id, %(main)s,
        CASE WHEN random() < 0.8 THEN right_one ELSE {one_of("mains")} END
    FROM answers JOIN checked ON checked.id = check_of_id
    """,
    """
    INSERT INTO review_truth (check_of_id, field_id, choice_id, origin, settled_at)
    SELECT id, %(main)s, right_one, CASE WHEN is_twice THEN 'agreed' ELSE 'single' END,
        opened + interval '3 hours'
    FROM checked WHERE number %% 1000 <> 51
    """,
    "DROP TABLE checked",
    f"""
    WITH drills AS (
        INSERT INTO review_drill (
            proposal_id, person_id, advice_id, truth_id, known_by, is_right, version_id, shown_at
        )
        SELECT id, {person(2)}, advice, main, 'agreed', advice = main, %(model)s,
            opened + interval '3 days'
        FROM proposed CROSS JOIN LATERAL (
            SELECT CASE WHEN number %% 400 = 7 THEN main ELSE {one_of("mains")} END AS advice
        ) AS given
        WHERE number %% %(waiting)s <> 0 AND number %% 200 = 7
        RETURNING id, advice_id, truth_id, is_right, shown_at
    )
    INSERT INTO review_drillanswer (drill_id, verdict, final_id, seconds, answered_at)
    SELECT id, CASE WHEN is_right = (id %% 4 > 0) THEN 'accepted' ELSE 'overridden' END,
        CASE WHEN is_right = (id %% 4 > 0) THEN advice_id ELSE truth_id END, 30,
        shown_at + interval '1 minute'
    FROM drills
    """,
)
