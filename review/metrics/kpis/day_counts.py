"""Resolved tickets of whole days, counted by what became of them; see review/models/kpis.py."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from review.metrics.bins import bin_of
from review.metrics.kpis import tickets
from review.metrics.kpis.tickets import NEEDED, Told
from review.metrics.window import Scope

Key = tuple[date, int, int, int]


def kpis(scope: Scope) -> list[Mapping[str, Any]]:
    """Of a scope with a source. The days of many tickets have no more rows than bins."""
    assert scope.source is not None
    found: dict[Key, Counter[str]] = defaultdict(Counter)
    cohort = tickets.resolved(scope.source, scope.first, scope.last)
    for told in tickets.stories(scope.source, cohort):
        found[_key(told, scope)].update(_counts(told))
    return [
        {
            "day": day,
            "resolved_after": resolved_after,
            "resolve_bin": resolve_bin,
            "rework_bin": rework_bin,
            **{name: counts[name] for name in (*NEEDED, *SUMS)},
        }
        for (day, resolved_after, resolve_bin, rework_bin), counts in found.items()
    ]


SUMS = (
    "n", "seconds", "seconds_open", "seconds_rework", "open_squares", "rework_squares", "products",
)  # fmt: skip


def _key(told: Told, scope: Scope) -> Key:
    zone = scope.now.tzinfo
    day = told.ticket.opened_at.astimezone(zone).date()
    resolved_on = told.resolved_at.astimezone(zone).date()
    return (
        day,
        (resolved_on - day).days,
        bin_of(told.story.seconds_to_resolve or 0),
        bin_of(told.story.seconds_after_first_resolution),
    )


def _counts(told: Told) -> dict[str, Any]:
    open_, rework = told.story.seconds_open, told.story.seconds_after_first_resolution
    return {
        "n": 1,
        "seconds": told.story.seconds_to_resolve or 0,
        "seconds_open": open_,
        "seconds_rework": rework,
        "open_squares": open_ * open_,
        "rework_squares": rework * rework,
        "products": rework * open_,
        **{hit: int(tickets.is_hit(told, hit)) for hit in NEEDED},
    }
