"""Triggers that note, in the same transaction, of which days the figures have to be counted anew.

Triggers and not code, so that no count can miss what was committed, whoever wrote it.
"""

import pgtrigger


def touching(days: str, *operations: pgtrigger.core.Operation) -> list[pgtrigger.Trigger]:
    """Triggers that note `days`, a SELECT of (source_id, at) from `rows`, what was changed.

    One trigger an operation, because a table of changed rows belongs to one.
    """
    return [_touching(days, operation) for operation in operations]


def _touching(days: str, operation: pgtrigger.core.Operation) -> pgtrigger.Trigger:
    given = {"old": "rows"} if operation == pgtrigger.Delete else {"new": "rows"}
    if operation == pgtrigger.Update:
        # A moment that was changed has left its old day, too.
        given["old"] = "former"
        days = f"{days} UNION {days.replace('FROM rows', 'FROM former rows')}"
    return pgtrigger.Trigger(
        name=f"touched_{str(operation).lower()}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(**given),  # type: ignore[no-untyped-call]
        func=f"INSERT INTO triage_touched (source_id, at) {days}; RETURN NULL;",
    )


def quarter(moment: str) -> str:
    """Many rows of a day leave few notes, and every zone's midnight is that of a quarter hour."""
    return f"date_bin('15 minutes', {moment}, 'epoch'::timestamptz)"


# Of the proposal that a row belongs to.
OF_PROPOSAL = f"""
SELECT DISTINCT ticket.source_id, {quarter("proposal.created_at")} FROM rows
JOIN triage_proposal proposal ON proposal.id = rows.proposal_id
JOIN triage_ticket ticket ON ticket.id = proposal.ticket_id
"""
# Of every proposal of the row's ticket: a newer one decides what became of the older.
OF_TICKET = f"""
SELECT ticket.source_id, {quarter("proposal.created_at")} FROM rows
JOIN triage_proposal proposal ON proposal.ticket_id = rows.ticket_id
JOIN triage_ticket ticket ON ticket.id = rows.ticket_id
"""
# Beside those, the row's own day: a row that was deleted is no longer among them.
OF_ITSELF = f"""
{OF_TICKET} UNION SELECT ticket.source_id, {quarter("rows.created_at")} FROM rows
JOIN triage_ticket ticket ON ticket.id = rows.ticket_id
"""
# And the day on which the ticket was opened.
OF_EVENT = f"""
{OF_TICKET} UNION SELECT ticket.source_id, {quarter("ticket.opened_at")} FROM rows
JOIN triage_ticket ticket ON ticket.id = rows.ticket_id
"""
# Of a ticket that came or went: what happens to it later is told by its events.
OF_OPENING = f"SELECT DISTINCT source_id, {quarter('opened_at')} FROM rows"
# What is counted by the main field is counted anew when another field becomes it.
MAIN_FIELD = pgtrigger.Trigger(
    name="touched_main",
    when=pgtrigger.After,
    operation=pgtrigger.UpdateOf("is_main"),  # type: ignore[no-untyped-call]
    condition=pgtrigger.Q(old__is_main__df=pgtrigger.F("new__is_main")),
    func="INSERT INTO triage_touched (source_id, at) VALUES (NEW.source_id, NULL); RETURN NULL;",
)
