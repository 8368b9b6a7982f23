"""Erasing what a requester wrote: from rows, stored deliveries and model files.

Rows stay and texts go, so that everything still counts. See docs/erasure.md.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from triage import ledger
from triage.erasure import rows, vocabularies
from triage.erasure.rows import Counts
from triage.erasure.scope import ErasureRefused, Found, Whose, find, rules_naming
from triage.erasure.vocabularies import Progress, Pruned
from triage.models import Delivery, Job, LedgerEntry, Ticket

__all__ = ["Counts", "ErasureRefused", "Report", "Whose", "erase", "preview"]

# What a worker has read already it may still write. None holds a batch longer than this.
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.1
HOLDING_TEXT = (Job.Kind.RECEIVE, Job.Kind.PROPOSE, Job.Kind.EVIDENCE, Job.Kind.SHADOW)

Also = Callable[[Collection[int]], dict[str, int]]


@dataclass
class Report:
    """What was erased, or would be. `rules` list the address and are an owner's to change."""

    counts: Counts = field(default_factory=Counts)
    models: list[Pruned] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not any(self.counts.named().values())

    def add(self, other: "Report") -> None:
        self.counts.add(other.counts)
        self.models += other.models


def nothing_more(tickets: Collection[int]) -> dict[str, int]:
    return {}


def silence(step: str) -> None:
    return None


def preview(whose: Whose, *, also: Also = nothing_more) -> Report:
    """What `erase` would change; nothing is changed. Model files are not looked into."""
    found = find(whose)
    counts = rows.count(found)
    counts.more = also(found.tickets)
    return Report(counts, rules=rules_naming(whose.address) if whose.address else [])


def erase(
    whose: Whose, *, by: User | None, also: Also = nothing_more, tell: Progress = silence
) -> Report:
    """Erase, put it on the record, and look again once busy workers have ended; safe to repeat.

    `also` erases what other rooms hold of the tickets, given by primary key, in the same
    transaction, and answers how many rows of what; `tell` gets each step in words. `by` None: from
    the command line. The record says who, how many and when, never whom it was about.
    """
    tell("looking for it")
    newest, before = _newest_delivery(), _busy()
    found = find(whose)
    report = _pass(whose, found, by, also, tell)
    if whose.address:
        report.rules = rules_naming(whose.address)
    after = _busy()
    if before or after or _newest_delivery() != newest:
        tell("waiting for workers that were busy meanwhile")
        _wait_for(before | after)
        again = find(whose)
        found.tickets |= again.tickets
        found.deliveries |= again.deliveries
        report.add(_pass(whose, found, by, also, tell))
    vocabularies.remove_leftovers(whose.sources)
    return report


@transaction.atomic
def _pass(whose: Whose, found: Found, by: User | None, also: Also, tell: Progress) -> Report:
    if not found:
        return Report()
    models = vocabularies.forget(found.tickets, tell=tell)
    tell("rows")
    list(Ticket.objects.filter(pk__in=found.tickets).order_by("pk").select_for_update())
    report = Report(rows.blank(found), models)
    report.counts.more = also(found.tickets)
    if not report.is_empty:
        ledger.append_all(_entries(whose, found, report, by))
    return report


def _entries(whose: Whose, found: Found, report: Report, by: User | None) -> list[ledger.Entry]:
    """Of several tickets only how many they were, not which belong together."""
    actor = ledger.SERVICE if by is None else ledger.actor_of(by)
    if whose.ticket and found.tickets:
        subject = f"ticket:{min(found.tickets)}"
    else:
        subject = f"source:{whose.source.pk}" if whose.source else "erasure:all-sources"
    payload = {
        "event": "erased",
        "by": "hand" if by else "command line",
        "rows": {name: n for name, n in report.counts.named().items() if n},
        "models": sorted(pruned.version.pk for pruned in report.models),
    }
    erased = ledger.Entry(LedgerEntry.Kind.ERASURE, subject, payload, actor)
    return [*(pruned.entry(actor) for pruned in report.models), erased]


def _newest_delivery() -> int | None:
    newest: int | None = Delivery.objects.aggregate(newest=Max("pk"))["newest"]
    return newest


def _busy() -> set[tuple[int, object]]:
    """Jobs that workers hold right now, each with the claim that holds it."""
    held = Job.objects.filter(kind__in=HOLDING_TEXT, lease_until__gt=timezone.now())
    return set(held.values_list("pk", "token"))


def _wait_for(busy: set[tuple[int, object]]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while busy & _busy() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
