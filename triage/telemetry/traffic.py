"""Counters of what came in, what was proposed of it and what was written back."""

from collections.abc import Mapping, Sequence

from prometheus_client.core import Metric

from triage.models import Delivery, Effect, Proposal, Source
from triage.telemetry.scrape import gauge
from triage.telemetry.tallies import Counted, families, named

UNFINISHED = (Effect.State.PENDING, Effect.State.SENDING)
MOST_UNFINISHED = 100_000


def _slugs() -> Mapping[str, str]:
    return {str(pk): slug for pk, slug in Source.objects.values_list("pk", "slug")}


def _ended() -> Mapping[str, str]:
    return {state: state for state in Effect.State.values if state not in UNFINISHED}


COUNTERS = (
    Counted(
        "deliveries",
        "Webhooks that were answered 202 and kept. One that is sent again under the same id is "
        "not counted twice.",
        Delivery,
        "received_at",
        by="source_id",
        label="source",
        known=_slugs,
    ),
    Counted(
        "proposals",
        "Proposals made, by route: review and hold go to a person, auto is applied without one, "
        "shadow is shown to nobody.",
        Proposal,
        "created_at",
        by="route",
        label="route",
        known=named(Proposal.Route),
    ),
    Counted(
        "effects",
        "Changes in a helpdesk that came to an end, by how: applied, or why not.",
        Effect,
        "finished_at",
        by="state",
        label="state",
        known=_ended,
    ),
)


def collect() -> Sequence[Metric]:
    unfinished = gauge(
        "effects_unfinished",
        f"Changes in a helpdesk that have not come to an end: pending or sending. Counted up to "
        f"{MOST_UNFINISHED}.",
        "state",
    )
    for state in UNFINISHED:
        rows = Effect.objects.filter(state=state).order_by()
        unfinished.add_metric([state], rows[:MOST_UNFINISHED].count())
    return [*families(COUNTERS), unfinished]
