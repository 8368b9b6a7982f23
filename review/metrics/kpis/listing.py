"""The tickets behind a figure, newest first and a page at a time."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.http import urlencode

from review.keyset import cursor_of, place_at
from review.metrics.kpis import tickets
from review.metrics.kpis.measures import MEASURES, Measure
from review.metrics.kpis.measuring import Days
from review.metrics.kpis.tickets import NEEDED, Told
from triage.models import Source, TicketEvent

SHOWN = 50


@dataclass(frozen=True)
class Page:
    """`at` is the place of the page that follows; empty on the last."""

    rows: list[Told]
    at: str


def link(source: Source, measure: Measure, days: Days) -> str:
    """Address of the tickets that a figure counts: the hits, or all where there are none."""
    query = {
        "source": source.slug,
        "metric": measure.key,
        "from": days.first.isoformat(),
        "to": days.last.isoformat(),
        "before": days.resolved_before.isoformat(),
        **({"hit": "yes"} if measure.hit else {}),
    }
    return f"{reverse('review:metrics_kpi_tickets')}?{urlencode(query)}"


def page(source: Source, metric: str, days: Days, *, hit: bool, at: str = "") -> Page:
    """Stories are told of those alone that may be hits, until the page is full."""
    found = tickets.resolved_before(source, days.first, days.last, days.resolved_before)
    if place := place_at(at):
        opened_at, pk = place
        found = found.filter(Q(opened_at__lt=opened_at) | Q(opened_at=opened_at, pk__lt=pk))
    wanted = MEASURES[metric].hit if hit else ""
    if wanted:
        events = TicketEvent.objects.filter(ticket=OuterRef("pk"), kind=NEEDED[wanted])
        found = found.filter(Exists(events))
    rows: list[Told] = []
    for told in tickets.stories(source, found):
        if wanted and not tickets.is_hit(told, wanted):
            continue
        if len(rows) == SHOWN:
            last = rows[-1].ticket
            return Page(rows, cursor_of(last.opened_at, last.pk))
        rows.append(told)
    return Page(rows, "")
