"""What happened to a ticket, in order, from all that its page has read already."""

from dataclasses import dataclass
from datetime import datetime

from review.models import Withdrawal
from review.ticket import DecisionLine, TicketPage
from triage.models import TicketEvent, TicketVersion


@dataclass(frozen=True)
class Entry:
    """One line. `kind` is opened, cut (of the events), version, event, proposal, decision or
    withdrawal.
    """

    at: datetime
    kind: str
    version: TicketVersion | None = None
    before: TicketVersion | None = None
    event: TicketEvent | None = None
    path: str = ""
    line: DecisionLine | None = None


def timeline(page: TicketPage) -> list[Entry]:
    """Oldest first. A version brings what was written before, where that was different."""
    entries = [Entry(page.ticket.opened_at, "opened")]
    for newer, older in zip(page.versions, page.versions[1:], strict=False):
        is_reworded = (newer.subject, newer.body) != (older.subject, older.body)
        entries.append(
            Entry(newer.created_at, "version", version=newer, before=older if is_reworded else None)
        )
    if page.events_cut:
        entries.append(Entry(page.events[0][0].happened_at, "cut"))
    entries += [
        Entry(event.happened_at, "event", event=event, path=path) for event, path in page.events
    ]
    if page.proposal is not None:
        entries.append(Entry(page.proposal.created_at, "proposal"))
    for line in page.decisions:
        entries.append(Entry(line.decision.decided_at, "decision", line=line))
        withdrawal: Withdrawal | None = getattr(line.decision, "withdrawal", None)
        # What took its place stands there already as a decision of its own.
        if withdrawal is not None and withdrawal.reversed_by_id is None:
            entries.append(Entry(withdrawal.at, "withdrawal", line=line))
    return sorted(entries, key=lambda entry: entry.at)
